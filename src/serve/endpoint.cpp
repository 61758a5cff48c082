// SPDX-License-Identifier: Apache-2.0
#include "serve/endpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "serve/peer.hpp"

namespace tapio::serve {

namespace {

constexpr int kBacklog = 16;
constexpr int kProbeSeconds = 1;

// Of file system calls. What the path is to blame for, its giver can mend.
std::unexpected<Error> refused(int err, std::string_view doing) {
  const auto error = from_errno(err, doing).error();
  const bool path_is_wrong = err == ENOENT || err == ENOTDIR || err == ELOOP ||
                             err == ENAMETOOLONG || err == EROFS || err == EISDIR;
  const Fault fault = path_is_wrong ? Fault::invalid : error.fault;
  const std::string_view advice = fault == Fault::denied
                                      ? "; be root, or give --socket a path that you may write"
                                      : "; give --socket another path";
  return fail(fault, error.what + std::string(advice));
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.contains('\0')) return invalid("the socket's path is no file name");
  if (path.size() >= sizeof address.sun_path)
    return invalid(fmt::format("the socket's path is longer than {} bytes; give --socket a shorter",
                               sizeof address.sun_path - 1));
  path.copy(address.sun_path, path.size());
  return address;
}

Fd unix_socket(int flags) {
  return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

// The calls want a sockaddr, which no pointer to a sockaddr_un converts to without a cast.
const sockaddr* generic(const sockaddr_un& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

Status make_directory(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string directory = path.substr(0, slash);
  if (::mkdir(directory.c_str(), 0755) == 0) {
    ::chmod(directory.c_str(), 0755);  // the umask may have taken bits
    return {};
  }
  if (errno == EEXIST) return {};
  return refused(errno, "create " + directory);
}

std::unexpected<Error> taken(const std::string& path, pid_t pid) {
  const std::string who = pid > 0 ? fmt::format(" (pid {})", pid) : "";
  return invalid(fmt::format("another agent{} serves {}; stop it, or give --socket", who, path));
}

std::unexpected<Error> locked(const std::string& path) {
  if (const auto other = connect_to(path, kProbeSeconds))
    return taken(path, pid_of_listener(other->get()));
  return invalid(fmt::format(
      "another agent holds {}.lock but does not answer; stop it, or give --socket", path));
}

// Only the owner can open the file, so that nobody else can keep an agent from starting.
Result<Fd> take_lock(const std::string& path) {
  const std::string name = path + ".lock";
  Fd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!lock) return refused(errno, "open " + name);
  struct stat file{};
  if (::fstat(lock.get(), &file) != 0) return refused(errno, "look at " + name);
  if (!S_ISREG(file.st_mode) || file.st_uid != ::geteuid())
    return invalid(fmt::format("{} is not a file of this user; remove it, or give --socket", name));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return locked(path);
  return refused(errno, "lock " + name);
}

// With the lock held: somebody who listens here without it, or what a killed agent left.
Status clear(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return {};
    return refused(errno, "look at " + path);
  }
  if (!S_ISSOCK(file.st_mode))
    return invalid(fmt::format("{} is not a socket; remove it, or give --socket", path));
  if (const auto other = connect_to(path, kProbeSeconds))
    return taken(path, pid_of_listener(other->get()));
  if (::unlink(path.c_str()) != 0) return refused(errno, "remove " + path);
  return {};
}

// Opens the door for the group. By descriptor, so that a path that was swapped meanwhile changes
// nothing but the file it was; if the group cannot be given, the socket stays 0600.
void share(int file, gid_t group) {
  if (::fchownat(file, "", static_cast<uid_t>(-1), group, AT_EMPTY_PATH) != 0) return;
  // fchmod(2) refuses O_PATH descriptors.
  ::chmod(fmt::format("/proc/self/fd/{}", file).c_str(), 0660);
}

}  // namespace

Result<Endpoint> Endpoint::open(std::string path, std::optional<gid_t> group) {
  const sockaddr_un address = TRY(address_of(path));
  TRY(make_directory(path));
  Fd lock = TRY(take_lock(path));
  TRY(clear(path));
  Fd listener = unix_socket(SOCK_NONBLOCK);
  if (!listener) return from_errno(errno, "make a socket");
  // Before bind(2), which gives the file the mode of the descriptor: never open to more, not even
  // for a moment.
  if (::fchmod(listener.get(), 0600) != 0) return from_errno(errno, "restrict the socket");
  if (::bind(listener.get(), generic(address), sizeof address) != 0)
    return refused(errno, "create " + path);
  const Fd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat made{};
  if (!file || ::fstat(file.get(), &made) != 0) return refused(errno, "look at " + path);
  if (group && S_ISSOCK(made.st_mode) && made.st_uid == ::geteuid()) share(file.get(), *group);
  if (::listen(listener.get(), kBacklog) != 0) return refused(errno, "listen on " + path);
  return Endpoint(std::move(lock), std::move(listener), std::move(path), made.st_dev, made.st_ino);
}

Endpoint::~Endpoint() {
  struct stat file{};
  if (!listener_ || ::lstat(path_.c_str(), &file) != 0) return;
  if (file.st_dev == device_ && file.st_ino == inode_) ::unlink(path_.c_str());
}

Result<Fd> connect_to(const std::string& path, int timeout_seconds) {
  const sockaddr_un address = TRY(address_of(path));
  Fd socket = unix_socket(0);
  if (!socket) return from_errno(errno, "make a socket");
  const timeval timeout{.tv_sec = timeout_seconds, .tv_usec = 0};
  for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO})
    if (::setsockopt(socket.get(), SOL_SOCKET, option, &timeout, sizeof timeout) != 0)
      return from_errno(errno, "set a timeout");
  if (::connect(socket.get(), generic(address), sizeof address) == 0) return socket;
  if (errno == EACCES || errno == EPERM)
    return fail(Fault::denied,
                fmt::format("not permitted to talk to the agent at {}; be root or a member of the "
                            "group tapio",
                            path));
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR || errno == ENOTSOCK)
    return fail(
        Fault::unavailable,
        fmt::format("no agent answers at {}; start one with `tapio run`, or give --socket", path));
  return from_errno(errno, "talk to the agent at " + path);
}

}  // namespace tapio::serve

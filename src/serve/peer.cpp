// SPDX-License-Identifier: Apache-2.0
#include "serve/peer.hpp"

#include <grp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace tapio::serve {

namespace {

// SO_PEERGROUPS (socket(7), Linux 4.13) tells the size it needs.
Result<std::vector<gid_t>> groups_of(int socket) {
  std::vector<gid_t> groups(32);
  for (int attempts = 0; attempts < 2; ++attempts) {
    auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int failed = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    if (failed != 0 && errno != ERANGE) return from_errno(errno, "read the peer's groups");
    groups.resize(bytes / sizeof(gid_t));
    if (failed == 0) return groups;
  }
  return from_errno(ERANGE, "read the peer's groups");
}

std::optional<ucred> credentials_of(int socket) {
  ucred credentials{};
  socklen_t bytes = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) return std::nullopt;
  return credentials;
}

}  // namespace

Result<Peer> peer_of(int socket) {
  const auto credentials = credentials_of(socket);
  if (!credentials) return from_errno(errno, "read the peer's credentials");
  return Peer{.pid = credentials->pid,
              .uid = credentials->uid,
              .gid = credentials->gid,
              .groups = TRY(groups_of(socket))};
}

pid_t pid_of_listener(int connected) {
  const auto credentials = credentials_of(connected);
  return credentials ? credentials->pid : 0;
}

std::optional<gid_t> find_group(const std::string& name) {
  constexpr std::size_t kMaxEntryBytes = 1 << 20;  // a group with very many members
  group entry{};
  group* found = nullptr;
  for (std::vector<char> text(4096); text.size() <= kMaxEntryBytes; text.resize(text.size() * 4)) {
    const int err = ::getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
    if (err != ERANGE) break;
  }
  return found ? std::optional(found->gr_gid) : std::nullopt;
}

bool is_owner(const Peer& peer, uid_t own) {
  return peer.uid == 0 || peer.uid == own;
}

bool is_admitted(const Peer& peer, uid_t own, std::optional<gid_t> group) {
  if (is_owner(peer, own)) return true;
  return group &&
         (peer.gid == *group || std::ranges::find(peer.groups, *group) != peer.groups.end());
}

}  // namespace tapio::serve

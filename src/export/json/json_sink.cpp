// SPDX-License-Identifier: Apache-2.0
#include "json_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "record/json.hpp"

namespace tapio::json {

namespace {

constexpr std::string_view kStdout = "-";
constexpr mode_t kOwnerOnly = 0600;

Fd open_at(const std::string& path, int flags) {
  return Fd(
      ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, kOwnerOnly));
}

// What somebody else prepared at our path, to read along or to have another file written to.
Status check_owned(const struct stat& info, const std::string& path) {
  if (info.st_uid != ::geteuid())
    return fail(Fault::denied, fmt::format("{} belongs to user {}", path, info.st_uid));
  if (info.st_nlink > 1)
    return fail(Fault::denied, fmt::format("{} has other names (hard links)", path));
  return {};
}

// A write that was cut off by a crash must not spoil the first line of this run.
bool ends_within_a_line(const std::string& path, off_t bytes) {
  char last = '\n';
  const Fd file = open_at(path, O_RDONLY);
  return bytes > 0 && file && ::pread(file.get(), &last, 1, bytes - 1) == 1 && last != '\n';
}

bool passes_by_itself(int err) {
  return err == EAGAIN || err == EWOULDBLOCK || err == ENOSPC || err == EDQUOT;
}

}  // namespace

Result<std::unique_ptr<JsonSink>> JsonSink::open(const Config& config) {
  std::unique_ptr<JsonSink> sink(new JsonSink(config));
  if (config.path == kStdout)
    TRY(sink->open_stdout());
  else
    TRY(sink->open_file());
  return sink;
}

Status JsonSink::open_stdout() {
  Fd fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  struct stat info{};
  if (!fd || ::fstat(fd.get(), &info) != 0) return from_errno(errno, "open standard output");
  use(std::move(fd), info);
  return {};
}

Status JsonSink::open_file() {
  const std::string& path = config_.path;
  Fd fd = open_at(path, O_WRONLY | O_CREAT | O_APPEND);
  if (!fd && errno == ELOOP)
    return fail(Fault::denied, fmt::format("{} is a symbolic link, give the file itself", path));
  if (!fd) return from_errno(errno, fmt::format("open {}", path));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return from_errno(errno, fmt::format("stat {}", path));
  if (S_ISREG(info.st_mode)) {
    TRY(check_owned(info, path));
    if ((info.st_mode & 0777) != kOwnerOnly && ::fchmod(fd.get(), kOwnerOnly) != 0)
      return from_errno(errno, fmt::format("chmod {}", path));
    if (ends_within_a_line(path, info.st_size)) text_.insert(0, 1, '\n');
  }
  use(std::move(fd), info);
  return {};
}

void JsonSink::use(Fd fd, const struct stat& info) {
  fd_ = std::move(fd);
  is_file_ = S_ISREG(info.st_mode);
  file_bytes_ = is_file_ ? static_cast<std::uint64_t>(info.st_size) : 0;
}

Status JsonSink::write(const Batch& batch) {
  if (batch.records.empty()) return {};
  if (batch_ != batch.records.front().id) {
    TRY(finish_torn_line());
    batch_ = batch.records.front().id;
    record_ = 0;
  }
  TRY(flush());
  while (record_ < batch.records.size()) {
    next_piece(batch);
    TRY(make_room());
    TRY(flush());
  }
  batch_.reset();
  return {};
}

// Of a batch that was given up by whoever called.
Status JsonSink::finish_torn_line() {
  const bool torn = written_ > 0 && text_[written_ - 1] != '\n';
  const bool repair = written_ == 0 && text_ == "\n";
  if (torn)
    text_.resize(text_.find('\n', written_) + 1);
  else if (!repair)
    text_.resize(written_);
  return flush();
}

void JsonSink::next_piece(const Batch& batch) {
  for (; record_ < batch.records.size() && text_.size() < kPieceBytes; ++record_) {
    append_json(text_, batch.records[record_], batch.clocks);
    text_ += '\n';
  }
}

// Leaves text_ empty, or what is left of it for the next time.
Status JsonSink::flush() {
  while (written_ < text_.size()) {
    const std::size_t count = TRY(write_some());
    written_ += count;
    file_bytes_ += count;
  }
  text_.clear();
  written_ = 0;
  return {};
}

Result<std::size_t> JsonSink::write_some() {
  std::size_t most = text_.size() - written_;
  // Shared with others, standard output cannot be made not to block. What we open is.
  if (!is_file_ && config_.path == kStdout) {
    TRY(wait_for_reader());
    most = std::min<std::size_t>(most, PIPE_BUF);  // pipe(7): that much does not block now
  }
  const ssize_t count = ::write(fd_.get(), text_.data() + written_, most);
  if (count > 0) return static_cast<std::size_t>(count);
  if (count == 0)
    return fail(Fault::unavailable, fmt::format("write {}: nothing taken", config_.path));
  if (errno == EINTR) return 0;
  if (passes_by_itself(errno))
    return fail(Fault::unavailable,
                fmt::format("write {}: {}", config_.path, std::strerror(errno)));
  return from_errno(errno, fmt::format("write {}", config_.path));
}

Status JsonSink::wait_for_reader() const {
  pollfd waited{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&waited, 1, kPatienceMs) != 0) return {};  // EINTR: the write finds out
  return fail(Fault::unavailable, fmt::format("write {}: its reader is slow", config_.path));
}

// One older generation is kept. Between pieces, so that no line is in two files.
Status JsonSink::make_room() {
  if (!is_file_ || config_.path == kStdout || file_bytes_ == 0) return {};
  if (file_bytes_ + text_.size() <= config_.max_bytes.bytes) return {};
  const std::string older = config_.path + ".1";
  // ENOENT: somebody has taken the file away, which makes room as well.
  if (std::rename(config_.path.c_str(), older.c_str()) != 0 && errno != ENOENT)
    return from_errno(errno, fmt::format("rename {} to {}", config_.path, older));
  return open_file();
}

}  // namespace tapio::json

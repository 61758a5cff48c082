// SPDX-License-Identifier: Apache-2.0
#include "cli/out.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"

namespace tapio::cli {

Status Out::write() {
  std::string_view rest = waiting_;
  while (!rest.empty() && !gone_) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      gone_ = true;
    } else if (errno == EAGAIN) {  // whoever shares the pipe made it so
      pollfd room{fd_, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      const int error = errno;
      waiting_.clear();
      return from_errno(error, "write to standard output");
    }
  }
  waiting_.clear();  // keeps its memory for what comes next
  return {};
}

std::size_t Out::terminal_columns() const {
  winsize size{};
  return ::ioctl(fd_, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void note(std::string_view text) {
  Out out(STDERR_FILENO);
  out.add("tapio: ");
  append_printable(out.waiting(), text);
  out.add("\n");
  (void)out.write();  // nobody is left to tell
}

}  // namespace tapio::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iterator>

namespace tapio::cli {

namespace {

// ECMA-48, and what every terminal took over from the VT220 and xterm. ADR 30 says why no more.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";  // page, cursor, line wrap
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l";
constexpr std::string_view kClear = "\x1b[0m\x1b[2J";
constexpr std::string_view kClearLine = "\x1b[0m\x1b[2K";
constexpr std::string_view kClearBelow = "\x1b[0m\x1b[J";
constexpr int kPatience = 500;  // milliseconds, for a terminal that does not take the last words

std::string_view rendition(Style style) {
  switch (style) {
    case Style::plain:
      return "\x1b[0m";
    case Style::head:
      return "\x1b[0;1m";
    case Style::bar:
      return "\x1b[0;7m";
  }
  return "";
}

struct Sequence {
  std::string_view bytes;
  Key key;
};
constexpr std::array<Sequence, 11> kSequences = {{{"\x1b[A", Key::up},
                                                  {"\x1b[B", Key::down},
                                                  {"\x1b[C", Key::right},
                                                  {"\x1b[D", Key::left},
                                                  {"\x1bOA", Key::up},
                                                  {"\x1bOB", Key::down},
                                                  {"\x1bOC", Key::right},
                                                  {"\x1bOD", Key::left},
                                                  {"\x1b[5~", Key::page_up},
                                                  {"\x1b[6~", Key::page_down},
                                                  {"\x1b[Z", Key::back}}};

// Bytes of the sequence that the text begins with; 0: it goes on.
std::size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return 0;
  if (text[1] == 'O') return text.size() < 3 ? 0 : 3;
  if (text[1] != '[') return 1;  // the key itself, and then another one
  for (std::size_t i = 2; i < text.size(); ++i)
    if (text[i] >= '@' && text[i] <= '~') return i + 1;
  return text.size() > Keys::kMaxBytes ? text.size() : 0;
}

}  // namespace

std::optional<Pressed> Keys::take_sequence() {
  const std::size_t length = sequence_length(waiting_);
  if (length == 0) return std::nullopt;
  const auto bytes = waiting_.substr(0, length);
  waiting_.erase(0, length);
  if (length == 1) return Pressed{.key = Key::escape};
  const auto known = std::ranges::find(kSequences, bytes, &Sequence::bytes);
  if (known == kSequences.end()) return next();
  return Pressed{.key = known->key};
}

std::optional<Pressed> Keys::next() {
  if (waiting_.empty()) return std::nullopt;
  if (waiting_.front() == '\x1b') return take_sequence();
  const char letter = waiting_.front();
  waiting_.erase(0, 1);
  return Pressed{.letter = letter};
}

// By another description of the same terminal, so that what shares ours is not made to not block.
Result<std::unique_ptr<Screen>> Screen::open() {
  const char* kind = std::getenv("TERM");
  const bool dumb = !kind || !*kind || std::string_view(kind) == "dumb";
  if (dumb || !::isatty(STDIN_FILENO) || !::isatty(STDOUT_FILENO))
    return invalid("this is no terminal to show a picture on; --once prints one");
  Fd terminal(::open(fmt::format("/proc/self/fd/{}", STDOUT_FILENO).c_str(),
                     O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!terminal) return from_errno(errno, "open the terminal");
  std::unique_ptr<Screen> screen(new Screen(std::move(terminal)));
  if (::tcgetattr(screen->fd(), &screen->before_) != 0)
    return from_errno(errno, "read the settings of the terminal");
  screen->enter();
  return screen;
}

Screen::~Screen() {
  leave();
}

void Screen::enter() {
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C and the like stay signals
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON);           // Ctrl-S holds nothing
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(fd(), TCSANOW, &raw);
  shown_.clear();
  out_ = kEnter;
  written_ = 0;
  write();
}

// A picture that is half written is finished first: the terminal may be within a sequence.
void Screen::leave() {
  write_all(std::string_view(out_).substr(written_));
  write_all(kLeave);
  out_.clear();
  written_ = 0;
  ::tcsetattr(fd(), TCSANOW, &before_);
}

Size Screen::size() const {
  winsize size{};
  if (::ioctl(fd(), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {80, 24};
  return {std::max<std::size_t>(size.ws_col, kLeast.columns),
          std::max<std::size_t>(size.ws_row, kLeast.rows)};
}

void Screen::show(const Frame& frame) {
  if (is_writing()) return;
  out_.clear();
  written_ = 0;
  if (const Size now = size(); now != std::exchange(size_, now)) shown_.clear();
  if (shown_.empty()) out_ += kClear;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    if (i < shown_.size() && shown_[i] == frame[i]) continue;
    fmt::format_to(std::back_inserter(out_), "\x1b[{};1H{}{}{}", i + 1, kClearLine,
                   rendition(frame[i].style), frame[i].text);
  }
  if (shown_.size() > frame.size())
    fmt::format_to(std::back_inserter(out_), "\x1b[{};1H{}", frame.size() + 1, kClearBelow);
  shown_ = frame;
  write();
}

void Screen::write() {
  while (is_writing()) {
    const ssize_t done = ::write(fd(), out_.data() + written_, out_.size() - written_);
    if (done > 0) {
      written_ += static_cast<std::size_t>(done);
    } else if (errno != EINTR) {
      gone_ = gone_ || errno != EAGAIN;
      return;
    }
  }
}

void Screen::write_all(std::string_view text) {
  while (!text.empty() && !gone_) {
    const ssize_t done = ::write(fd(), text.data(), text.size());
    if (done > 0) {
      text.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno == EAGAIN) {
      pollfd room{fd(), POLLOUT, 0};
      if (::poll(&room, 1, kPatience) <= 0) return;
    } else if (errno != EINTR) {
      gone_ = true;
    }
  }
}

std::optional<Pressed> Screen::next_key() {
  if (auto pressed = keys_.next()) return pressed;
  std::array<char, 64> bytes;
  const ssize_t got = ::read(fd(), bytes.data(), bytes.size());
  if (got > 0) keys_.add({bytes.data(), static_cast<std::size_t>(got)});
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) gone_ = true;
  return keys_.next();
}

}  // namespace tapio::cli

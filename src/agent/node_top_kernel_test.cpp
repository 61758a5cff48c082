// SPDX-License-Identifier: Apache-2.0
// `tapio top` on a terminal, beside a running agent: what it shows, and that it leaves the terminal
// as it was, however it ends.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <csignal>

#include "agent/commands.hpp"
#include "cli/cli.hpp"
#include "rig.hpp"
#include "serve/client.hpp"
#include "temporary.hpp"

namespace tapio::agent {
namespace {

constexpr std::string_view kOtherPage = "\x1b[?1049h", kBack = "\x1b[?1049l";

int tapio(std::vector<const char*> words) {
  Commands agent;
  words.insert(words.begin(), "tapio");
  return cli::main(static_cast<int>(words.size()), words.data(), agent);
}

// A terminal of 80x24 and what is run on it.
class Terminal {
 public:
  Terminal() : keyboard_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    ::grantpt(keyboard_.get());
    ::unlockpt(keyboard_.get());
    name_ = ::ptsname(keyboard_.get());
    line_ = Fd(::open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    resize(80, 24);
  }
  void run(const std::vector<const char*>& words) {
    pid_ = child([&] {
      hang_up();  // these are ours
      ::setsid();
      const int own = ::open(name_.c_str(), O_RDWR);  // becomes the controlling terminal
      for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(own, fd);
      ::setenv("TERM", "xterm", 1);
      return tapio(words);
    });
  }
  void resize(unsigned short columns, unsigned short rows) {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(keyboard_.get(), TIOCSWINSZ, &size);
  }
  void type(std::string_view keys) {
    ASSERT_EQ(::write(keyboard_.get(), keys.data(), keys.size()), std::ssize(keys));
  }
  // Reads what is shown until this is there.
  [[nodiscard]] bool shows(std::string_view text) {
    for (int i = 0; i < 600 && !seen_.contains(text); ++i) read(50);
    const bool found = seen_.contains(text);
    if (found) seen_.erase(0, seen_.find(text) + text.size());
    return found;
  }
  // How it ended, as by waitpid(2).
  int end() {
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) read(20);
    read(0);
    return status;
  }
  [[nodiscard]] bool stops() const {
    siginfo_t what{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &what, WSTOPPED) == 0;
  }
  void signal(int number) const { ::kill(pid_, number); }
  void hang_up() { keyboard_ = Fd(), line_ = Fd(); }
  [[nodiscard]] termios settings() const {
    termios settings{};
    ::tcgetattr(line_.get(), &settings);
    return settings;
  }
  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  void read(int milliseconds) {
    pollfd polled{keyboard_.get(), POLLIN, 0};
    std::array<char, 4096> part;
    while (::poll(&polled, 1, milliseconds) > 0 && (polled.revents & POLLIN) != 0) {
      const auto got = ::read(keyboard_.get(), part.data(), part.size());
      if (got <= 0) return;
      seen_.append(part.data(), static_cast<std::size_t>(got));
      milliseconds = 0;
    }
  }

  Fd keyboard_, line_;
  std::string name_, seen_;
  pid_t pid_ = -1;
};

class Top : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads programs into the kernel: needs root";
    agent_ = child([&] {
      terminal_.hang_up();  // that is not its own
      ::close(STDIN_FILENO);
      ::setsid();
      return tapio({"run", "--socket", socket_.c_str(), "--set", "agent.canary=false", "--set",
                    "sinks.store.enabled=false", "--set", "log.level=error"});
    });
    for (int i = 0; i < 600 && !is_there(); ++i) ::usleep(50'000);
    ASSERT_TRUE(is_there());
  }
  void TearDown() override {
    if (agent_ <= 0) return;
    ::kill(agent_, SIGTERM);
    EXPECT_EQ(wait_for(agent_), 0);
  }
  [[nodiscard]] bool is_there() const {
    return serve::ask(socket_, {.command = serve::Command::status}).has_value();
  }
  void start() {
    terminal_.run({"top", "--socket", socket_.c_str()});
    ASSERT_TRUE(terminal_.shows(kOtherPage));
    ASSERT_TRUE(terminal_.shows("STORIES"));
    ASSERT_EQ(terminal_.settings().c_lflag & (ICANON | ECHO), 0u);
  }
  void expect_as_before(int status, int code) {
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), code);
    EXPECT_TRUE(terminal_.shows(kBack));
    const termios after = terminal_.settings();
    EXPECT_EQ(after.c_lflag, before_.c_lflag);
    EXPECT_EQ(after.c_iflag, before_.c_iflag);
  }

  Temporary directory_;
  std::string socket_ = directory_.file("sock");
  pid_t agent_ = -1;
  Terminal terminal_;
  termios before_ = terminal_.settings();
};

TEST_F(Top, shows_a_story_as_it_is_told_and_fills_the_terminal_when_that_grows) {
  start();
  const pid_t victim = child([] { return ::pause(); });
  ::kill(victim, SIGKILL);
  wait_for(victim);
  EXPECT_TRUE(terminal_.shows(fmt::format("(pid {}) was killed with SIGKILL", victim)));
  terminal_.resize(120, 40);
  EXPECT_TRUE(terminal_.shows("\x1b[40;1H")) << "the last line is where it is now";
  terminal_.type("\t");
  EXPECT_TRUE(terminal_.shows("stories  up "));
  terminal_.type("h");
  EXPECT_TRUE(terminal_.shows("Ctrl-C"));
  terminal_.type("q");
  expect_as_before(terminal_.end(), 0);
}

TEST_F(Top, leaves_the_terminal_as_it_was_however_it_ends) {
  start();
  terminal_.type("\x03");
  expect_as_before(terminal_.end(), 0);
  start();
  terminal_.signal(SIGTERM);
  expect_as_before(terminal_.end(), 0);
  start();
  ::kill(agent_, SIGTERM);
  expect_as_before(terminal_.end(), 1);
  EXPECT_TRUE(terminal_.shows("tapio: the agent stopped"));
}

TEST_F(Top, waits_with_the_terminal_as_it_was_while_it_is_stopped) {
  start();
  terminal_.type("\x1a");
  ASSERT_TRUE(terminal_.shows(kBack));
  ASSERT_TRUE(terminal_.stops());
  terminal_.signal(SIGCONT);
  EXPECT_TRUE(terminal_.shows(kOtherPage));
  EXPECT_TRUE(terminal_.shows("STORIES"));
  terminal_.type("q");
  expect_as_before(terminal_.end(), 0);
}

TEST_F(Top, ends_when_nobody_looks_any_more) {
  start();
  terminal_.hang_up();
  const int status = terminal_.end();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tapio::agent

// SPDX-License-Identifier: Apache-2.0
#include "process_text.hpp"

#include <gmock/gmock.h>

#include <cstring>

#include "collected.hpp"
#include "process_observer.hpp"

namespace tapio::process {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A sample with text behind its fixed part.
template <typename T>
class With {
 public:
  explicit With(std::uint16_t kind, std::uint16_t version) {
    event.header = {.time_ns = 1000, .tgid = 100, .tid = 100, .kind = kind, .version = version};
  }
  void put(tapio_text T::* where, std::string_view text, std::uint32_t original) {
    event.*where = {static_cast<__u16>(sizeof event + tail_.size()),
                    static_cast<__u16>(text.size()), original};
    tail_ += text;
  }
  wire::Sample sample() {
    event.header.size = static_cast<__u16>(sizeof event + tail_.size());
    bytes_.resize(event.header.size);
    std::memcpy(bytes_.data(), &event, sizeof event);
    std::memcpy(bytes_.data() + sizeof event, tail_.data(), tail_.size());
    return *wire::open_sample(bytes_);
  }
  T event{};

 private:
  std::string tail_;
  std::vector<std::byte> bytes_;
};

std::string joined(std::initializer_list<std::string_view> args) {
  std::string text;
  for (const auto arg : args) text.append(arg).push_back('\0');
  return text;
}

With<tapio_process_exec> exec(std::string_view args, std::uint32_t original) {
  With<tapio_process_exec> exec(TAPIO_PROCESS_EXEC, TAPIO_PROCESS_EXEC_VERSION);
  exec.put(&tapio_process_exec::filename, "./mysql", 8);
  exec.put(&tapio_process_exec::executable, std::string_view("mysql\0bin\0", 10), 0);
  exec.put(&tapio_process_exec::cwd, std::string_view("tmp\0", 4), 0);
  exec.put(&tapio_process_exec::args, args, original);
  return exec;
}

std::string text_of(std::span<const std::byte> bytes) {
  return std::string(wire::chars(bytes));
}

struct Told {
  std::vector<std::string> args;
  bool cut = false;
  std::string filename, cwd, executable;
};

Told told(const wire::Sample& sample) {
  ProcessObserver observer({});
  Collected out;
  EXPECT_TRUE(observer.on_sample(sample, out));
  const auto& fact = out.only<ProcessExecuted>();
  return {.args = {fact.args.begin(), fact.args.end()},
          .cut = out.get<bool>("process.command_args.cut").value_or(false),
          .filename = std::string(out.text("process.exec.filename")),
          .cwd = std::string(out.text("process.working_directory")),
          .executable = std::string(fact.executable)};
}

Told told_of(std::span<const std::byte> bytes) {
  const auto sample = wire::open_sample(bytes);
  EXPECT_TRUE(sample);
  return told(*sample);
}

TEST(Conceal, secrets_in_arguments_are_gone_and_the_rest_is_the_same) {
  Redactor redactor;
  std::vector<std::byte> clean;
  const auto args = joined({"mysql", "--password=hunter2", "-h", "db", "x"});
  auto raw = exec(args, static_cast<std::uint32_t>(args.size()));
  ASSERT_TRUE(conceal(raw.sample(), redactor, clean));
  EXPECT_THAT(text_of(clean), Not(HasSubstr("hunter2")));
  const auto now = told_of(clean);
  EXPECT_THAT(now.args, ElementsAre("mysql", "--password=***", "-h", "db", "x"));
  EXPECT_FALSE(now.cut);
  EXPECT_EQ(now.filename, "./mysql");
  EXPECT_EQ(now.cwd, "/tmp");
  EXPECT_EQ(now.executable, "/bin/mysql");
}

TEST(Conceal, the_length_of_a_secret_does_not_show) {
  Redactor redactor;
  std::vector<std::byte> one, other;
  const auto a = joined({"x", "--token=a"}), b = joined({"x", "--token=abcdefghijklmnop"});
  ASSERT_TRUE(conceal(exec(a, static_cast<std::uint32_t>(a.size())).sample(), redactor, one));
  ASSERT_TRUE(conceal(exec(b, static_cast<std::uint32_t>(b.size())).sample(), redactor, other));
  EXPECT_EQ(one, other);
}

TEST(Conceal, what_was_cut_stays_cut_and_what_was_not_does_not_become_so) {
  Redactor redactor;
  std::vector<std::byte> clean;
  const std::string cut = std::string("x\0--token=longlonglong\0half an ar", 33);
  ASSERT_TRUE(conceal(exec(cut, 5000).sample(), redactor, clean));
  EXPECT_THAT(told_of(clean).args, ElementsAre("x", "--token=***", "half an ar"));
  EXPECT_TRUE(told_of(clean).cut);
  const auto whole = joined({"x", "--token=longlonglong", ""});
  ASSERT_TRUE(
      conceal(exec(whole, static_cast<std::uint32_t>(whole.size())).sample(), redactor, clean));
  EXPECT_THAT(told_of(clean).args, ElementsAre("x", "--token=***", ""));
  EXPECT_FALSE(told_of(clean).cut);
}

TEST(Conceal, arguments_beyond_those_that_are_read_are_not_kept_at_all) {
  Redactor redactor;
  std::vector<std::byte> clean;
  std::string args;
  for (std::size_t i = 0; i < kMaxArgs; ++i) args += std::string("x\0", 2);
  args += joined({"--password=hunter2"});
  auto raw = exec(args, static_cast<std::uint32_t>(args.size()));
  ASSERT_TRUE(conceal(raw.sample(), redactor, clean));
  EXPECT_THAT(text_of(clean), Not(HasSubstr("hunter2")));
  const auto before = told(raw.sample()), now = told_of(clean);
  EXPECT_EQ(now.args, before.args);
  EXPECT_TRUE(now.cut);
}

TEST(Conceal, without_secrets_a_sample_says_the_same) {
  Redactor redactor;
  std::vector<std::byte> clean;
  const auto args = joined({"ls", "-l", ""});
  auto raw = exec(args, static_cast<std::uint32_t>(args.size()));
  ASSERT_TRUE(conceal(raw.sample(), redactor, clean));
  EXPECT_EQ(text_of(clean), text_of(raw.sample().bytes));
}

TEST(Conceal, paths_that_records_show_without_secrets_are_kept_so) {
  Redactor redactor;
  std::vector<std::byte> clean;
  With<tapio_process_exec_failed> failed(TAPIO_PROCESS_EXEC_FAILED,
                                         TAPIO_PROCESS_EXEC_FAILED_VERSION);
  failed.put(&tapio_process_exec_failed::filename, "/x?token=hunter2", 17);
  ASSERT_TRUE(conceal(failed.sample(), redactor, clean));
  EXPECT_THAT(text_of(clean), Not(HasSubstr("hunter2")));

  With<tapio_process_exec> away(TAPIO_PROCESS_EXEC, TAPIO_PROCESS_EXEC_VERSION);
  away.put(&tapio_process_exec::cwd, std::string_view("leaf\0token=hunter2\0", 19), 0);
  ASSERT_TRUE(conceal(away.sample(), redactor, clean));
  EXPECT_THAT(text_of(clean), Not(HasSubstr("hunter2")));
}

TEST(Conceal, a_malformed_sample_is_not_kept) {
  Redactor redactor;
  std::vector<std::byte> clean;
  auto raw = exec("x", 2);
  raw.event.args.offset = 60'000;
  EXPECT_FALSE(conceal(raw.sample(), redactor, clean));
  raw = exec("x", 2);
  raw.event.header.version++;
  EXPECT_FALSE(conceal(raw.sample(), redactor, clean));
}

}  // namespace
}  // namespace tapio::process

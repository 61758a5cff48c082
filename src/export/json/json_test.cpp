// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "json_sink.hpp"

namespace tapio::json {
extern const SinkDescriptor descriptor;
namespace {

constexpr SchemaOf kEvent{"test.event", Kind::event, "", Field{"n", Type::u64, ""},
                          Field{"text", Type::text, ""}};

std::unique_ptr<Batch> batch(std::uint64_t first, std::size_t records,
                             std::string_view text = "x") {
  auto out = std::make_unique<Batch>();
  for (std::size_t i = 0; i < records; ++i) {
    Record record = kEvent({}, first + i, out->arena.keep(text));
    record.id = {.run = 1, .number = first + i};
    out->records.push_back(record);
  }
  return out;
}

std::vector<std::string> lines(std::istream& in) {
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  return lines(file);
}

// The numbers of whole lines; anything else is -1.
std::vector<int> numbers(const std::vector<std::string>& all) {
  std::vector<int> out;
  for (const std::string& line : all) {
    const auto at = line.find("\"n\":");
    const bool whole = line.starts_with("{\"type\":\"event\"") && line.ends_with("\"}");
    out.push_back(whole ? std::stoi(line.substr(at + 4)) : -1);
  }
  return out;
}

std::vector<int> count_from(int first, int count) {
  std::vector<int> out;
  for (int i = 0; i < count; ++i) out.push_back(first + i);
  return out;
}

class JsonSinks : public testing::Test {
 protected:
  JsonSinks() {
    std::string name = testing::TempDir() + "json_sink_XXXXXX";
    dir_ = ::mkdtemp(name.data());
    config_ = {.enabled = true, .path = dir_ + "/out.json", .max_bytes = {1 << 30}};
  }
  ~JsonSinks() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<JsonSink> open() {
    auto sink = JsonSink::open(config_);
    EXPECT_TRUE(sink) << sink.error().what;
    return sink ? std::move(*sink) : nullptr;
  }
  Fault refusal() {
    const auto sink = JsonSink::open(config_);
    EXPECT_FALSE(sink);
    return sink ? Fault::broken : sink.error().fault;
  }
  // A pipe at our path that holds a page, and who reads it.
  Fd small_pipe() {
    EXPECT_EQ(::mkfifo(config_.path.c_str(), 0600), 0);
    Fd reader(::open(config_.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_GE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
    return reader;
  }
  static std::string drained(const Fd& reader) {
    std::string out;
    char bytes[4096];
    for (ssize_t count; (count = ::read(reader.get(), bytes, sizeof bytes)) > 0;)
      out.append(bytes, static_cast<std::size_t>(count));
    return out;
  }

  std::string dir_;
  Config config_;
};

TEST_F(JsonSinks, append_a_line_per_record_to_a_file_that_only_its_owner_reads) {
  const auto previous = ::umask(0);
  ASSERT_TRUE(open()->write(*batch(0, 3)));
  ::umask(previous);
  ASSERT_TRUE(open()->write(*batch(3, 2)));
  EXPECT_EQ(numbers(lines_of(config_.path)), count_from(0, 5));
  struct stat info{};
  ASSERT_EQ(::stat(config_.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(JsonSinks, take_the_rights_of_others_from_a_file_that_is_there) {
  std::ofstream(config_.path) << "old\n";
  ASSERT_EQ(::chmod(config_.path.c_str(), 0644), 0);
  ASSERT_TRUE(open()->write(*batch(0, 1)));
  struct stat info{};
  ASSERT_EQ(::stat(config_.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(lines_of(config_.path)[0], "old");
}

TEST_F(JsonSinks, do_not_follow_links) {
  const std::string target = dir_ + "/target";
  std::ofstream(target) << "mine\n";
  std::filesystem::create_symlink(target, config_.path);
  EXPECT_EQ(refusal(), Fault::denied);
  std::filesystem::remove(config_.path);
  std::filesystem::create_hard_link(target, config_.path);
  EXPECT_EQ(refusal(), Fault::denied);
  EXPECT_EQ(lines_of(target), std::vector<std::string>{"mine"});
}

TEST_F(JsonSinks, refuse_what_is_no_file_to_write) {
  config_.path = dir_;
  EXPECT_FALSE(JsonSink::open(config_));
  config_.path = dir_ + "/none/out.json";
  EXPECT_FALSE(JsonSink::open(config_));
  config_.path = dir_ + "/fifo";
  ASSERT_EQ(::mkfifo(config_.path.c_str(), 0600), 0);
  EXPECT_FALSE(JsonSink::open(config_)) << "nobody reads it";
}

TEST_F(JsonSinks, end_a_line_that_a_crash_has_torn) {
  std::ofstream(config_.path) << "{\"type\":\"ev";
  ASSERT_TRUE(open()->write(*batch(1, 2)));
  EXPECT_EQ(numbers(lines_of(config_.path)), (std::vector<int>{-1, 1, 2}));
}

TEST_F(JsonSinks, keep_one_older_generation_of_a_file_that_is_full) {
  config_.max_bytes = {64 << 10};
  const std::string text(1000, 'x');
  const auto sink = open();
  for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(sink->write(*batch(i * 10, 10, text)));
  const auto now = numbers(lines_of(config_.path));
  const auto before = numbers(lines_of(config_.path + ".1"));
  ASSERT_FALSE(now.empty());
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(now.back(), 399);
  EXPECT_EQ(now, count_from(now.front(), static_cast<int>(now.size())));
  EXPECT_EQ(before, count_from(before.front(), now.front() - before.front()));
  for (const std::string& path : {config_.path, config_.path + ".1"}) {
    EXPECT_LE(std::filesystem::file_size(path), config_.max_bytes.bytes);
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  EXPECT_FALSE(std::filesystem::exists(config_.path + ".1.1"));
}

TEST_F(JsonSinks, take_over_a_smaller_bound_while_they_run) {
  const std::string text(1000, 'x');
  const auto sink = open();
  ASSERT_TRUE(sink->write(*batch(0, 100, text)));
  auto settings = config::section<Config>();
  settings->as<Config>() = {.enabled = false, .path = "-", .max_bytes = {64 << 10}};
  sink->on_settings(*settings);
  ASSERT_TRUE(sink->write(*batch(100, 10, text)));
  EXPECT_EQ(numbers(lines_of(config_.path)), count_from(100, 10));
  EXPECT_EQ(numbers(lines_of(config_.path + ".1")), count_from(0, 100));
}

TEST_F(JsonSinks, count_what_a_file_holds_when_it_is_opened) {
  config_.max_bytes = {64 << 10};
  std::ofstream(config_.path) << std::string(64 << 10, 'o') << "\n";
  ASSERT_TRUE(open()->write(*batch(0, 1)));
  EXPECT_EQ(numbers(lines_of(config_.path)), count_from(0, 1));
  EXPECT_EQ(lines_of(config_.path + ".1").size(), 1u);
}

TEST_F(JsonSinks, write_a_record_that_is_larger_than_the_limit_into_a_file_of_its_own) {
  config_.max_bytes = {64 << 10};
  const auto sink = open();
  ASSERT_TRUE(sink->write(*batch(0, 1)));
  ASSERT_TRUE(sink->write(*batch(1, 1, std::string(100'000, 'x'))));
  EXPECT_EQ(numbers(lines_of(config_.path + ".1")), count_from(0, 1));
  EXPECT_EQ(numbers(lines_of(config_.path)), count_from(1, 1));
}

TEST_F(JsonSinks, do_not_write_through_a_link_in_the_place_of_the_older_generation) {
  config_.max_bytes = {64 << 10};
  const std::string target = dir_ + "/target";
  std::ofstream(target) << "mine\n";
  std::filesystem::create_symlink(target, config_.path + ".1");
  const auto sink = open();
  const std::string text(60'000, 'x');
  ASSERT_TRUE(sink->write(*batch(0, 1, text)));
  ASSERT_TRUE(sink->write(*batch(1, 1, text)));
  EXPECT_EQ(lines_of(target), std::vector<std::string>{"mine"});
  EXPECT_FALSE(std::filesystem::is_symlink(config_.path + ".1"));
}

TEST_F(JsonSinks, say_when_the_older_generation_cannot_be_put_away) {
  config_.max_bytes = {64 << 10};
  std::filesystem::create_directories(config_.path + ".1/full");
  const auto sink = open();
  const std::string text(60'000, 'x');
  ASSERT_TRUE(sink->write(*batch(0, 1, text)));
  EXPECT_FALSE(sink->write(*batch(1, 1, text)));
  EXPECT_LE(std::filesystem::file_size(config_.path), config_.max_bytes.bytes);
  std::filesystem::remove_all(config_.path + ".1");
  ASSERT_TRUE(sink->write(*batch(2, 1, text)));
  EXPECT_EQ(numbers(lines_of(config_.path)), count_from(2, 1));
}

TEST_F(JsonSinks, go_on_where_a_full_pipe_has_stopped_them) {
  const Fd reader = small_pipe();
  const auto sink = open();
  const auto all = batch(0, 300, std::string(100, 'x'));
  std::string got;
  int refused = 0;
  for (Status status = sink->write(*all); !status; status = sink->write(*all)) {
    ASSERT_EQ(status.error().fault, Fault::unavailable) << status.error().what;
    ASSERT_LT(++refused, 100);
    got += drained(reader);
  }
  got += drained(reader);
  EXPECT_GT(refused, 5);
  std::istringstream text(got);
  EXPECT_EQ(numbers(lines(text)), count_from(0, 300));
}

TEST_F(JsonSinks, finish_only_the_torn_line_of_a_batch_that_was_given_up) {
  const Fd reader = small_pipe();
  const auto sink = open();
  ASSERT_FALSE(sink->write(*batch(0, 300, std::string(100, 'x'))));
  std::string got = drained(reader);
  ASSERT_NE(got.back(), '\n') << "the test needs a torn line";
  const auto other = batch(1000, 2);
  for (int attempts = 0; !sink->write(*other); got += drained(reader)) ASSERT_LT(++attempts, 10);
  got += drained(reader);
  std::istringstream text(got);
  auto all = numbers(lines(text));
  ASSERT_GT(all.size(), 2u);
  EXPECT_EQ(std::vector(all.end() - 2, all.end()), count_from(1000, 2));
  EXPECT_EQ(std::vector(all.begin(), all.end() - 2),
            count_from(0, static_cast<int>(all.size()) - 2));
}

TEST_F(JsonSinks, call_a_full_device_unavailable) {
  config_.path = "/dev/full";
  const auto sink = open();
  for (int i = 0; i < 2; ++i) {
    const Status status = sink->write(*batch(0, 1));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().fault, Fault::unavailable) << status.error().what;
  }
}

TEST_F(JsonSinks, write_to_standard_output_when_told_a_dash) {
  config_.path = "-";
  testing::internal::CaptureStdout();
  const Status status = open()->write(*batch(5, 2));
  std::istringstream text(testing::internal::GetCapturedStdout());
  ASSERT_TRUE(status);
  EXPECT_EQ(numbers(lines(text)), count_from(5, 2));
}

TEST(JsonDescriptor, makes_nothing_unless_enabled) {
  EXPECT_EQ(descriptor.name, "json");
  const auto settings = descriptor.settings();
  const auto made = descriptor.make(*settings);
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, nullptr);
}

TEST(JsonDescriptor, says_which_sink_cannot_be_made) {
  const auto settings = descriptor.settings();
  const std::string values[] = {"true", "/nonexistent/out.json"};
  ASSERT_TRUE(settings->set("enabled", std::span(values).first(1)));
  ASSERT_TRUE(settings->set("path", std::span(values).last(1)));
  const auto made = descriptor.make(*settings);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().what.starts_with("json: open /nonexistent/out.json: "))
      << made.error().what;
}

}  // namespace
}  // namespace tapio::json

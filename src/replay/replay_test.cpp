// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zstd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "decode/wire.hpp"
#include "replay/player.hpp"
#include "replay/recorder.hpp"

namespace tapio::replay {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Header kHeader{.version = "1.2.3",
                     .kernel = "6.18.1",
                     .machine = "x86_64",
                     .boot = "0123abcd",
                     .run = 77,
                     .began = 1700000000s,
                     .configuration = "redact:\n  enabled: true\n"};

std::vector<std::byte> sample(std::uint64_t time, std::size_t tail = 0) {
  tapio_event_header header{
      .time_ns = time, .size = static_cast<__u16>(sizeof header + tail), .kind = 0x0101};
  std::vector<std::byte> bytes(sizeof header + tail);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

class Recording : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "tapio-replay-XXXXXX";
    ASSERT_TRUE(::mkdtemp(name.data()));
    directory_ = name;
    file = directory_ / "file.rec";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Recorder> record(std::uint64_t max_bytes = 1 << 20) {
    auto recorder = Recorder::create(file, Existing::refuse, max_bytes);
    EXPECT_TRUE(recorder) << recorder.error().what;
    (*recorder)->begin(kHeader);
    return std::move(*recorder);
  }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  void rewrite(const std::string& bytes) const {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::unique_ptr<Player> play() const {
    auto player = Player::open(file);
    EXPECT_TRUE(player) << player.error().what;
    return player ? std::move(*player) : nullptr;
  }
  // The fault that the file ends in; "": none.
  std::string fault(int* inputs = nullptr) const {
    auto player = Player::open(file);
    if (!player) return player.error().what;
    for (;;) {
      const auto input = (*player)->next();
      if (!input) return input.error().what;
      if (!*input) return "";
      if (inputs) ++*inputs;
    }
  }

  std::string file;

 private:
  std::filesystem::path directory_;
};

TEST_F(Recording, every_kind_of_input_comes_back_as_it_was) {
  const auto block = sample(5, 3);
  const std::vector<std::string_view> texts{"one", "", "three"};
  const Credentials credentials{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::vector<Input> inputs{
      Starting{"process", true},
      ClocksRead{{.wall_ahead = 17s, .boottime_ahead = -3ns}, 4s},
      Watching{4s},
      Samples{block},
      Advanced{5s},
      Flushed{},
      ProcessFound{{.time = 6s,
                    .process = {7, 8},
                    .parent = {1, 2},
                    .virtual_pid = 9,
                    .pid_namespace = 10,
                    .cgroup_id = 11,
                    .credentials = credentials,
                    .name = "name",
                    .executable = "/bin/name",
                    .args = texts,
                    .args_bytes = 12}},
      ResyncBegan{13s},
      ResyncEnded{Coverage::partial},
      WalkBegan{14s},
      CgroupFound{15s, 16, "/a"},
      WalkEnded{17s},
      SurplusTaken{18, {19, 20, 21}, 22s},
      LossFound{"process", "normal", "kernel", "ring_full", 23s, 24s, 25},
      SightChanged{texts},
      Ticked{26s}};
  auto recorder = record();
  for (const Input& input : inputs) recorder->write(input);
  ASSERT_TRUE(recorder->finish());

  const auto player = play();
  std::string then, now;
  for (const Input& expected : inputs) {
    const auto input = player->next();
    ASSERT_TRUE(input && *input);
    EXPECT_EQ((*input)->index(), expected.index());
    EXPECT_EQ(message_of(**input, now).body, message_of(expected, then).body);
  }
  const auto end = player->next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_EQ(player->end(), End::stopped);
  EXPECT_EQ(player->header().version, "1.2.3");
  EXPECT_EQ(player->header().boot, "0123abcd");
  EXPECT_EQ(player->header().run, 77u);
  EXPECT_EQ(player->header().configuration, kHeader.configuration);
}

TEST_F(Recording, answers_are_given_back_without_a_look) {
  auto recorder = record();
  recorder->write(Ticked{1s});
  EXPECT_EQ(recorder->ask("first", [] { return std::string("1st\0", 4); }),
            std::string("1st\0", 4));
  EXPECT_EQ(recorder->ask("second", [] { return std::string(300'000, 'x'); }).size(), 300'000u);
  recorder->write(Flushed{});
  ASSERT_TRUE(recorder->finish());

  const auto player = play();
  const auto no_look = [] {
    ADD_FAILURE() << "it looked";
    return std::string();
  };
  ASSERT_TRUE(player->next());
  EXPECT_EQ(player->ask("first", no_look), std::string("1st\0", 4));
  EXPECT_EQ(player->ask("second", no_look), std::string(300'000, 'x'));
  EXPECT_TRUE(player->state());
  EXPECT_TRUE(std::holds_alternative<Flushed>(**player->next()));
}

TEST_F(Recording, who_asks_otherwise_than_then_is_told_so) {
  auto recorder = record();
  recorder->write(Ticked{1s});
  (void)recorder->ask("how much", [] { return std::string("5"); });
  ASSERT_TRUE(recorder->finish());
  {
    const auto player = play();
    ASSERT_TRUE(player->next());
    EXPECT_EQ(player->ask("how many", [] { return std::string("6"); }), "");
    EXPECT_FALSE(player->state());
    EXPECT_THAT(player->next().error().what, HasSubstr("no answer to 'how many'"));
  }
  const auto player = play();
  ASSERT_TRUE(player->next());
  EXPECT_THAT(player->next().error().what, HasSubstr("an answer to 'how much' that nobody asks"));
}

TEST_F(Recording, is_for_its_owner_alone_and_overwrites_nothing) {
  ASSERT_TRUE(record()->finish());
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const auto again = Recorder::create(file, Existing::refuse, 1 << 20);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().what, HasSubstr("--force"));
  EXPECT_TRUE(Recorder::create(file, Existing::replace, 1 << 20));

  const auto link = file + ".link";
  std::filesystem::create_symlink(file, link);
  EXPECT_FALSE(Recorder::create(link, Existing::refuse, 1 << 20));
  EXPECT_FALSE(Recorder::create(link, Existing::replace, 1 << 20));
  EXPECT_FALSE(Recorder::create(testing::TempDir(), Existing::replace, 1 << 20));
}

TEST_F(Recording, more_samples_than_fit_into_a_message_are_several_and_none_is_torn) {
  std::vector<std::byte> block;
  for (std::uint64_t i = 1; i <= 5000; ++i) {
    const auto one = sample(i, i % 200);
    block.insert(block.end(), one.begin(), one.end());
  }
  ASSERT_GT(block.size(), 2 * kMaxSamples);
  auto recorder = record();
  recorder->write(Samples{block});
  ASSERT_TRUE(recorder->finish());
  const auto player = play();
  std::vector<std::byte> read;
  for (auto input = player->next(); input && *input; input = player->next()) {
    const auto part = std::get<Samples>(**input).block;
    EXPECT_LE(part.size(), kMaxSamples);
    read.insert(read.end(), part.begin(), part.end());
  }
  EXPECT_EQ(read, block);
}

TEST_F(Recording, at_its_bound_it_ends_and_the_file_says_so) {
  constexpr std::uint64_t kMost = Recorder::kLeastBytes;
  auto recorder = record(kMost);
  std::vector<std::byte> noise = sample(1, 60'000);
  std::uint32_t random = 1;
  std::uint64_t written = 0;
  for (; written < 1000; ++written) {
    for (std::size_t i = sizeof(tapio_event_header); i < noise.size(); ++i)
      noise[i] = static_cast<std::byte>((random = random * 1664525 + 1013904223) >> 24);
    recorder->write(Samples{noise});
    recorder->write(Ticked{1s});
  }
  EXPECT_TRUE(recorder->full());
  ASSERT_TRUE(recorder->finish());
  EXPECT_LE(std::filesystem::file_size(file), kMost);
  const auto player = play();
  std::uint64_t read = 0;
  auto input = player->next();
  for (; input && *input; input = player->next()) ++read;
  EXPECT_TRUE(input) << input.error().what;
  EXPECT_EQ(player->end(), End::full);
  EXPECT_GT(read, 2u);
  EXPECT_LT(read, 2 * written);
}

TEST_F(Recording, wants_room_for_something) {
  EXPECT_FALSE(Recorder::create(file, Existing::refuse, 1000));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(Recording, a_file_that_was_cut_anywhere_is_read_up_to_there_and_named) {
  auto recorder = record();
  for (int i = 1; i <= 20; ++i) {
    recorder->write(Advanced{i * 1s});
    recorder->write(Ticked{i * 1s});
  }
  ASSERT_TRUE(recorder->finish());
  const auto whole = content();
  int all = 0;
  ASSERT_EQ(fault(&all), "");
  EXPECT_EQ(all, 40);
  int before = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    rewrite(whole.substr(0, size));
    int inputs = 0;
    const auto what = fault(&inputs);
    EXPECT_THAT(what, testing::AnyOf(HasSubstr("cut off"), HasSubstr("it ends behind"),
                                     HasSubstr("no recording")))
        << size;
    EXPECT_GE(inputs, before) << size;
    before = inputs;
  }
  EXPECT_EQ(before, 40);
}

TEST_F(Recording, a_changed_byte_anywhere_is_noticed) {
  auto recorder = record();
  for (int i = 1; i <= 3; ++i) recorder->write(Ticked{i * 1s});
  ASSERT_TRUE(recorder->finish());
  const auto whole = content();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x04);
    rewrite(changed);
    if (at >= 12 && at < kHeadBytes) continue;  // not used yet
    EXPECT_NE(fault(), "") << at;
  }
}

TEST_F(Recording, another_format_is_named) {
  ASSERT_TRUE(record()->finish());
  auto bytes = content();
  bytes[8] = 9;
  rewrite(bytes);
  EXPECT_THAT(fault(), HasSubstr("it has format 9, and this tapio reads format 1"));
  rewrite("#!/bin/sh\nexit 0\n and so on and so on\n");
  EXPECT_EQ(fault(), "it is no recording of tapio");
  rewrite("");
  EXPECT_EQ(fault(), "it is no recording of tapio");
  file = "/nowhere/at/all";
  EXPECT_EQ(fault(), "there is no such file");
  file = testing::TempDir();
  EXPECT_EQ(fault(), "it is no regular file");
}

TEST_F(Recording, something_behind_the_end_is_noticed) {
  ASSERT_TRUE(record()->finish());
  const auto whole = content();
  rewrite(whole + whole.substr(kHeadBytes));
  EXPECT_THAT(fault(), HasSubstr("something follows its end"));
}

// A file with one frame of these messages.
std::string file_of(std::string_view messages, std::optional<std::uint32_t> claimed = {}) {
  std::string out("tapiorec\x01\0\0\0\0\0\0\0", kHeadBytes);
  const auto add = [&](std::string_view content, std::uint32_t says) {
    std::string packed(::ZSTD_compressBound(content.size()), '\0');
    packed.resize(::ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 1));
    for (const std::uint32_t number : {static_cast<std::uint32_t>(packed.size()), says})
      for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift & 0xff);
    out += packed;
  };
  const auto header = packed(kHeader);
  add(header, static_cast<std::uint32_t>(header.size()));
  add(messages, claimed.value_or(static_cast<std::uint32_t>(messages.size())));
  return out;
}

TEST_F(Recording, a_frame_that_swells_is_not_let_in) {
  rewrite(file_of(std::string(3 << 20, 'x'), 1000));
  EXPECT_THAT(fault(), HasSubstr("damaged"));
  rewrite(file_of(std::string(100, 'x'), 0xffffffff));
  EXPECT_THAT(fault(), HasSubstr("damaged"));
  rewrite(file_of(std::string(100, 'x'), 200));
  EXPECT_THAT(fault(), HasSubstr("damaged"));
}

std::string message(std::uint8_t number, std::string_view body) {
  std::string out;
  append(out, {number, body});
  return out;
}

TEST_F(Recording, what_no_input_can_be_is_refused) {
  const auto far = sample(std::uint64_t{1} << 62);
  auto odd = sample(5);
  auto* header = reinterpret_cast<tapio_event_header*>(odd.data());
  header->event_class = TAPIO_CLASSES;
  auto hook = sample(5);
  reinterpret_cast<tapio_event_header*>(hook.data())->hook = TAPIO_MAX_HOOKS;
  std::string body;
  const std::vector<std::string> wrong{
      message(40, ""),                                      // no kind
      message(15, ""),                                      // a tick without a time
      message(15, "\x02\x02"),                              // with two
      message(15, "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),  // far beyond
      message(8, "\x05"),                                   // no such coverage
      message(14, "\xff\xff\x7f"),                          // a list without an end
      message(3, "torn"),                                   // a sample without a header
      message(message_of(Samples{far}, body).number, message_of(Samples{far}, body).body),
      message(3, wire::chars(odd)),
      message(3, wire::chars(hook)),
      std::string("\x0f\xff\xff\xff\x7f", 5)};  // a message larger than the frame
  for (const auto& messages : wrong) {
    rewrite(file_of(messages));
    EXPECT_THAT(fault(), HasSubstr("damaged")) << testing::PrintToString(messages);
  }
}

TEST_F(Recording, a_header_that_could_steer_a_terminal_is_refused) {
  Header header = kHeader;
  header.kernel = "6.1\x1b[2J";
  EXPECT_FALSE(header_of(packed(header)));
  header = kHeader;
  header.boot = "../etc/x";
  EXPECT_FALSE(header_of(packed(header)));
  EXPECT_TRUE(header_of(packed(kHeader)));
}

TEST_F(Recording, a_file_that_cannot_grow_ends_it_with_a_fault_and_the_agent_lives_on) {
  auto recorder = record();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{.rlim_cur = 100, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  recorder->write(Ticked{1s});
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_FALSE(recorder->state());
  EXPECT_EQ(recorder->ask("still", [] { return std::string("live"); }), "live");
  EXPECT_THAT(recorder->finish().error().what, HasSubstr("File too large"));
}

}  // namespace
}  // namespace tapio::replay

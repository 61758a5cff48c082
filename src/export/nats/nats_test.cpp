// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "export/sink.hpp"
#include "nats_address.hpp"
#include "nats_answers.hpp"
#include "nats_config.hpp"
#include "nats_credentials.hpp"
#include "nats_protocol.hpp"
#include "nats_stream.hpp"
#include "nats_subject.hpp"
#include "record/gap.hpp"
#include "temporary.hpp"

namespace tapio::nats {
extern const SinkDescriptor descriptor;
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr SchemaOf kDelivery{"process.signal.delivery", Kind::event, "", Field{"n", Type::u64, ""}};
constexpr SchemaOf kStorm{"process.signal_storm", Kind::finding, "", Field{"n", Type::u64, ""}};
constexpr SchemaOf kOddName{"a*b>.c*d", Kind::metric, "", Field{"n", Type::u64, ""}};
constexpr SchemaOf kStory{"story", Kind::story, "", Field{"rule", Type::text, ""},
                          Field{"revision", Type::u64, ""}};

std::string subject(const Record& record) {
  std::string out;
  append_subject(out, "tapio.n1.", record);
  return out;
}

std::string message_id(Record record) {
  record.id = {.run = 0x673e9a10, .number = 42};
  std::string out;
  append_message_id(out, "n1.example", record);
  return out;
}

Record gap(std::string_view observer, std::string_view event_class, std::string_view reason) {
  return kGap({}, observer, event_class, std::string_view("queue"), reason, MonotonicTime(),
              MonotonicTime(), std::uint64_t{1});
}

TEST(NatsSubjects, are_observer_class_kind_and_name_whatever_the_record) {
  EXPECT_EQ(subject(kDelivery({.event_class = TAPIO_CRITICAL}, 1u)),
            "tapio.n1.process.critical.event.signal-delivery");
  EXPECT_EQ(subject(kStorm({}, 1u)), "tapio.n1.process.normal.finding.signal_storm");
  EXPECT_EQ(subject(kStory({}, std::string_view("oom"), 1u)), "tapio.n1.stories.normal.story.oom");
}

TEST(NatsSubjects, of_gaps_are_those_of_the_records_that_are_missing) {
  EXPECT_EQ(subject(gap("dns", "bulk", "ring_full")), "tapio.n1.dns.bulk.gap.ring_full");
  EXPECT_EQ(subject(gap("*", "critical", "queue_full")), "tapio.n1.all.critical.gap.queue_full");
  EXPECT_EQ(subject(gap("*", "*", "malformed")), "tapio.n1.all.all.gap.malformed");
}

TEST(NatsSubjects, hold_nothing_that_means_something_to_a_server) {
  EXPECT_EQ(subject(kOddName({}, 1u)), "tapio.n1.a_b_.normal.metric.c_d");
  const std::string odd = "a b\r\nPUB x 0\t\x01\xff*>";
  EXPECT_EQ(subject(kStory({}, std::string_view(odd), 1u)),
            "tapio.n1.stories.normal.story.a_b__PUB_x_0_____");
  EXPECT_EQ(subject(kStory({}, std::string_view(), 1u)), "tapio.n1.stories.normal.story._");
  const std::string length(1000, 'x');
  EXPECT_EQ(subject(kStory({}, std::string_view(length), 1u)),
            "tapio.n1.stories.normal.story." + length.substr(0, kMaxToken));
}

TEST(NatsMessageIds, are_node_and_record_and_of_a_story_told_again_its_revision) {
  EXPECT_EQ(message_id(kDelivery({}, 2u)), "n1.example/673e9a10.42");
  EXPECT_EQ(message_id(kStory({}, std::string_view("oom"), 1u)), "n1.example/673e9a10.42");
  EXPECT_EQ(message_id(kStory({}, std::string_view("oom"), 2u)), "n1.example/673e9a10.42/2");
}

TEST(NatsAddresses, are_a_scheme_a_host_and_perhaps_a_port) {
  const auto text = [](std::string_view url) {
    const auto address = parse_address(url);
    return address ? address->text() : address.error().what;
  };
  EXPECT_EQ(text("nats://127.0.0.1"), "nats://127.0.0.1:4222");
  EXPECT_EQ(text("tls://n-1.example:7"), "tls://n-1.example:7");
  EXPECT_EQ(text("tls://[::1]:7"), "tls://[::1]:7");
  EXPECT_EQ(text("nats://[fe80::2]"), "nats://[fe80::2]:4222");
}

TEST(NatsAddresses, are_refused_when_they_are_something_else) {
  for (const char* url :
       {"", "localhost", "http://x", "nats://", "nats://:4222", "nats://x:", "nats://x:0",
        "nats://x:65536", "nats://x:1/y", "nats://x y", "nats://[::1", "nats://[x]", "nats://::1",
        "tls://a\r\nb", "tls://[127.0.0.1]"})
    EXPECT_FALSE(parse_address(url)) << url;
  EXPECT_FALSE(parse_address("nats://" + std::string(254, 'a')));
}

TEST(NatsAddresses, hold_no_password_and_an_error_does_not_show_it) {
  const auto address = parse_address("nats://joe:secret@host:4222");
  ASSERT_FALSE(address);
  EXPECT_THAT(address.error().what, Not(HasSubstr("secret")));
}

std::string wrong(const Config& config) {
  const Status status = config.check();
  return status ? "" : status.error().what;
}

TEST(NatsConfig, is_good_as_it_is) {
  EXPECT_EQ(wrong({}), "");
}

TEST(NatsConfig, lets_records_leave_the_machine_in_clear_only_when_told_so) {
  EXPECT_EQ(wrong({.servers = {"nats://localhost", "nats://127.3.2.1", "nats://[::1]"}}), "");
  EXPECT_EQ(wrong({.servers = {"tls://nats.example"}}), "");
  EXPECT_THAT(wrong({.servers = {"tls://a", "nats://b"}}), StartsWith("servers: nats://b is on"));
  EXPECT_EQ(wrong({.servers = {"nats://b"}, .insecure = true}), "");
}

TEST(NatsConfig, says_what_contradicts_itself) {
  EXPECT_THAT(wrong({.servers = {}}), StartsWith("servers: give 1"));
  EXPECT_THAT(wrong({.servers = std::vector<std::string>(17, "nats://localhost")}),
              StartsWith("servers: give 1"));
  EXPECT_THAT(wrong({.servers = {"http://x"}}), StartsWith("servers: 'http://x' is no address"));
  EXPECT_THAT(wrong({.tls_ca = "/ca"}), StartsWith("tls: none"));
  EXPECT_THAT(wrong({.servers = {"tls://x"}, .tls_key = "/k"}), StartsWith("tls: certificate"));
  EXPECT_THAT(wrong({.auth_user = "joe"}), StartsWith("auth: user and password_file"));
  EXPECT_THAT(wrong({.auth_credentials = "/a", .auth_token_file = "/b"}),
              StartsWith("auth: give credentials, or"));
  EXPECT_THAT(wrong({.stream_max_age = std::chrono::minutes(5),
                     .stream_duplicate_window = std::chrono::minutes(6)}),
              StartsWith("stream.duplicate_window"));
}

TEST(NatsConfig, takes_names_that_a_subject_can_hold) {
  EXPECT_EQ(wrong({.node = "n-1.example", .prefix = "prod.tapio"}), "");
  for (const char* name : {"", ".", "a.", ".a", "a..b", "a b", "a*", ">", "a\n", "é"})
    EXPECT_THAT(wrong({.prefix = name}), StartsWith("prefix: ")) << name;
  EXPECT_THAT(wrong({.node = std::string(65, 'a')}), StartsWith("node: "));
  EXPECT_THAT(wrong({.stream_name = "a.b"}), StartsWith("stream.name: "));
}

TEST(NatsStream, is_asked_for_with_its_bounds) {
  const Config config{.prefix = "t",
                      .stream_name = "S",
                      .stream_replicas = 3,
                      .stream_max_bytes = {1 << 20},
                      .stream_max_age = std::chrono::minutes(5)};
  EXPECT_EQ(create_stream_subject(config), "$JS.API.STREAM.CREATE.S");
  const auto json = create_stream_json(config);
  for (const char* member :
       {R"("subjects":["t.>"])", R"("num_replicas":3)", R"("max_bytes":1048576)",
        R"("max_age":300000000000)", R"("duplicate_window":120000000000)"})
    EXPECT_THAT(json, HasSubstr(member));
}

// All that a reader makes of these pieces, each in words, or why it stopped.
std::vector<std::string> heard(const std::vector<std::string>& pieces, std::size_t most = 1000) {
  Reader reader(most);
  std::vector<std::string> out;
  for (const std::string& piece : pieces) {
    for (std::size_t at = 0; at < piece.size();) {
      const auto room = reader.room();
      const auto some = piece.substr(at, room.size());
      std::ranges::copy(some, room.begin());
      reader.filled(some.size());
      at += some.size();
      for (;;) {
        const auto said = reader.next();
        if (!said) return out.push_back(said.error().what), out;
        if (!*said) break;
        out.push_back(fmt::format("{} {} {} '{}' '{}'", static_cast<int>((*said)->kind),
                                  (*said)->subject, (*said)->status, (*said)->headers,
                                  (*said)->text));
      }
    }
  }
  return out;
}

const std::string kAll =
    "INFO {\"a\":1}\r\nPING\r\nPONG\r\n+OK\r\n-ERR 'Authorization Violation'\r\n"
    "MSG a.b 1 5\r\nhello\r\nMSG a 1 r.s 0\r\n\r\n"
    "HMSG c 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
    "HMSG c 1 r 22 25\r\nNATS/1.0\r\nKey: val\r\n\r\nabc\r\n";
const std::vector<std::string> kAllHeard = {"0  0 '' '{\"a\":1}'",
                                            "2  0 '' ''",
                                            "3  0 '' ''",
                                            "4  0 '' ''",
                                            "5  0 '' ''Authorization Violation''",
                                            "1 a.b 0 '' 'hello'",
                                            "1 a 0 '' ''",
                                            "1 c 503 '\r\n' ''",
                                            "1 c 0 'Key: val\r\n\r\n' 'abc'"};

TEST(NatsReader, understands_what_a_server_says) {
  EXPECT_EQ(heard({kAll}), kAllHeard);
}

TEST(NatsReader, understands_it_in_pieces_of_any_size) {
  for (std::size_t size = 1; size < 40; ++size) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < kAll.size(); at += size) pieces.push_back(kAll.substr(at, size));
    EXPECT_EQ(heard(pieces), kAllHeard) << size;
  }
}

TEST(NatsReader, refuses_what_is_no_nats) {
  for (const char* text :
       {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "MSG\r\n", "MSG a 1\r\n", "MSG a 1 x\r\n",
        "MSG a 1 -1\r\n", "MSG a 1 b c 1\r\n", "MSG a 1 2\r\nabcd\r\n", "HMSG a 1 2\r\n",
        "HMSG a 1 5 4\r\n", "HMSG a 1 b c 1 2\r\n", "MSG a 1 99999999999999999999999\r\n"}) {
    const auto all = heard({text});
    ASSERT_EQ(all.size(), 1u) << text;
    EXPECT_THAT(all[0], StartsWith("the server ")) << text;
  }
}

TEST(NatsReader, bounds_lines_and_messages) {
  EXPECT_THAT(heard({"MSG a 1 1001\r\n"}),
              testing::ElementsAre("the server sent 1001 bytes in one message"));
  EXPECT_EQ(heard({"MSG a 1 1000\r\n" + std::string(1000, 'x') + "\r\n"}).size(), 1u);
  EXPECT_EQ(heard({"INFO " + std::string(Reader::kMaxLine - 7, 'x') + "\r\n"}).size(), 1u);
  EXPECT_THAT(heard({"INFO " + std::string(Reader::kMaxLine, 'x')}),
              testing::ElementsAre(StartsWith("the server speaks no NATS")));
}

TEST(NatsPublications, have_their_id_in_a_header) {
  std::string out;
  const Publication publication{.subject = "s", .reply = "r", .id = "n/1", .text = "{}"};
  append_publication(out, publication);
  EXPECT_EQ(out, "HPUB s r 30 32\r\nNATS/1.0\r\nNats-Msg-Id: n/1\r\n\r\n{}\r\n");
  EXPECT_EQ(publication.bytes(), 32u);
  out.clear();
  append_publication(out, {.subject = "s", .reply = "r", .id = {}, .text = "abc"});
  EXPECT_EQ(out, "PUB s r 3\r\nabc\r\n");
}

TEST(NatsAnswers, tell_what_has_become_of_a_message) {
  EXPECT_TRUE(parse_answer(R"({"stream":"TAPIO","seq":7})")->done);
  EXPECT_TRUE(parse_answer(R"({"stream":"TAPIO","seq":7,"duplicate":true})")->duplicate);
  const auto refused =
      parse_answer(R"({"error":{"code":400,"err_code":10054,"description":"message size"}})");
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->done);
  EXPECT_EQ(refused->error, Answer::kTooLarge);
  EXPECT_EQ(refused->description, "message size");
}

TEST(NatsAnswers, may_be_anything) {
  for (const char* text : {"", "{", "[]", "1", "{\"error\":}", "\xff"})
    EXPECT_FALSE(parse_answer(text)) << text;
  EXPECT_FALSE(parse_answer(R"({"error":"no"})")->done);
  EXPECT_FALSE(parse_answer(R"({"error":null})")->done);
  EXPECT_EQ(parse_answer(R"({"error":{"err_code":"x","description":1}})")->error, 0);
  EXPECT_FALSE(parse_answer(std::string(100'000, '[')));
  EXPECT_EQ(parse_info(R"({"max_payload":-1,"headers":1,"nonce":{}})")->max_payload, 0u);
}

// The key of RFC 8032, 7.1, test 2, as NATS writes the seed of a user, and that of an account.
constexpr std::string_view kSeed = "SUAEZTIITMUP7FW2TW3MGRXMCFHA6W4KGGPTLK5GETNIZ5XNJ64KN63OVI";
constexpr std::string_view kOfAccount =
    "SAAEZTIITMUP7FW2TW3MGRXMCFHA6W4KGGPTLK5GETNIZ5XNJ64KN645MY";

std::string credentials(std::string_view seed, std::string_view end = "\n") {
  return fmt::format(
      "-----BEGIN NATS USER JWT-----{0}e30.e30.AA{0}------END NATS USER JWT------{0}{0}"
      "*** IMPORTANT ***{0}-----BEGIN USER NKEY SEED-----{0}{1}{0}------END USER NKEY "
      "SEED------{0}",
      end, seed);
}

TEST(NatsCredentials, are_a_jwt_and_a_key_that_signs_as_rfc_8032_says) {
  for (const char* end : {"\n", "\r\n"}) {
    const auto login = parse_credentials(credentials(kSeed, end));
    ASSERT_TRUE(login) << login.error().what;
    EXPECT_EQ(login->jwt, "e30.e30.AA");
    EXPECT_EQ(
        sign(*login->seed, "r"),
        "kqAJqfDUyrhyDoILX2QlQKKye1QWUD-Ps3YiI-vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA");
  }
}

TEST(NatsCredentials, are_refused_when_the_key_is_not_that_of_a_user) {
  std::string mistyped(kSeed);
  mistyped[20] = mistyped[20] == 'A' ? 'B' : 'A';
  for (const std::string& seed : {std::string(kOfAccount), mistyped, std::string(kSeed.substr(1)),
                                  std::string(), std::string(58, '1')})
    EXPECT_FALSE(parse_credentials(credentials(seed))) << seed;
  EXPECT_FALSE(parse_credentials(""));
  EXPECT_FALSE(parse_credentials("-----BEGIN NATS USER JWT-----"));
  EXPECT_FALSE(parse_credentials(kSeed));
}

class NatsLogin : public testing::Test {
 protected:
  std::string file(const std::string& text, mode_t mode = 0600) {
    const auto path = directory_.file("secret");
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  Temporary directory_;
};

TEST_F(NatsLogin, comes_from_files_and_goes_into_connect) {
  const auto token = read_login({.auth_token_file = file("s3cret\n")});
  ASSERT_TRUE(token) << token.error().what;
  EXPECT_THAT(connect_json("n", *token, "", true),
              testing::AllOf(HasSubstr(R"("auth_token":"s3cret")"), HasSubstr(R"("name":"n")"),
                             HasSubstr(R"("tls_required":true)"), Not(HasSubstr("pass"))));
  const auto user = read_login({.auth_user = "joe", .auth_password_file = file("a\"b")});
  ASSERT_TRUE(user);
  EXPECT_THAT(connect_json("n", *user, "", false), HasSubstr(R"("user":"joe","pass":"a\"b")"));
  const auto key = read_login({.auth_credentials = file(credentials(kSeed))});
  ASSERT_TRUE(key);
  EXPECT_THAT(connect_json("n", *key, "r", true), HasSubstr(R"("jwt":"e30.e30.AA","sig":"kqAJq)"));
}

TEST_F(NatsLogin, is_refused_when_everybody_may_read_the_secret) {
  const auto login = read_login({.auth_token_file = file("s3cret\n", 0644)});
  ASSERT_FALSE(login);
  EXPECT_THAT(login.error().what, HasSubstr("chmod o="));
}

TEST_F(NatsLogin, is_refused_when_a_file_has_no_secret_in_it) {
  for (const char* text : {"", "\n", "two\nlines", "\xff", "a\tb"})
    EXPECT_FALSE(read_login({.auth_token_file = file(text)})) << text;
  EXPECT_FALSE(read_login({.auth_token_file = file(std::string(5000, 'x'))}));
  EXPECT_FALSE(read_login({.auth_token_file = directory_.file("none")}));
}

TEST(NatsDescriptor, makes_nothing_unless_enabled) {
  EXPECT_EQ(descriptor.name, "nats");
  const auto made = descriptor.make(*descriptor.settings());
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, nullptr);
}

TEST(NatsDescriptor, makes_a_sink_though_the_server_is_away_and_says_what_is_wrong_with_files) {
  const auto settings = descriptor.settings();
  settings->as<Config>().enabled = true;
  const auto made = descriptor.make(*settings);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_NE(*made, nullptr);
  settings->as<Config>().auth_token_file = "/nonexistent/token";
  const auto refused = descriptor.make(*settings);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, StartsWith("nats: open /nonexistent/token: "));
}

}  // namespace
}  // namespace tapio::nats

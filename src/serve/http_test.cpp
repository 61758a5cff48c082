// SPDX-License-Identifier: Apache-2.0
#include "serve/http_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "record/gap.hpp"
#include "serve/fake_http.hpp"
#include "serve/json.hpp"

namespace tapio::serve {
namespace {

using namespace std::literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kToken = "0123456789abcdef0123456789abcdef"sv;

std::shared_ptr<const Batch> batch(const auto& schema, std::uint64_t first, std::uint64_t count,
                                   const std::string& text = "x") {
  auto batch = std::make_shared<Batch>();
  const auto kept = batch->arena.keep(text);
  for (std::uint64_t i = 0; i < count; ++i) {
    batch->records.push_back(schema(Origin{.time = MonotonicTime(1)}, kept));
    batch->records.back().id = {1, first + i};
  }
  return batch;
}

class Http : public testing::Test {
 protected:
  Http() {
    std::string pattern = testing::TempDir() + "/tapioXXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    config.enabled = true;
    config.listen = "127.0.0.1:0";
  }
  ~Http() override {
    server.reset();
    std::filesystem::remove_all(directory_);
  }
  void serve() {
    auto opened = HttpServer::open(config, agent);
    ASSERT_TRUE(opened) << opened.error().what;
    server = std::move(*opened);
  }
  std::string file(const std::string& name, std::string_view text, mode_t mode = 0600) {
    const auto path = directory_ / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string get(std::string_view target, std::string_view headers = "") {
    return Caller(server->address())
        .say(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n",
                         target, headers))
        .hear();
  }
  Json json(std::string_view target) {
    const auto answer = get(target);
    return parse_json(answer.substr(answer.find("\r\n\r\n") + 4)).value();
  }
  // Whoever got an answer knows that what was offered before has arrived.
  void offer(std::shared_ptr<const Batch> batch) {
    server->offer(std::move(batch));
    get("/healthz");
  }

  std::filesystem::path directory_;
  HttpConfig config;
  FakeAgent agent;
  std::unique_ptr<HttpServer> server;
};

TEST_F(Http, status_is_what_the_local_socket_says) {
  serve();
  EXPECT_THAT(get("/api/v1/status"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Type: application/json"),
                    HasSubstr("no-store"), HasSubstr(R"({"version":"9","pid":1})")));
}

TEST_F(Http, however_often_it_is_asked_the_agent_is_asked_once_a_second) {
  serve();
  const auto began = monotonic_now();
  for (int i = 0; i < 50; ++i) get("/api/v1/status");
  EXPECT_LE(agent.asked, 1 + (monotonic_now() - began) / 1s);
}

TEST_F(Http, stories_come_in_pages_from_the_latest) {
  serve();
  const auto first = json("/api/v1/stories?limit=2");
  EXPECT_EQ(first["stories"].items()[0]["n"].count(), 5u);
  EXPECT_EQ(first["stories"].items()[1]["n"].count(), 4u);
  const auto second = json(fmt::format("/api/v1/stories?limit=3&cursor={}", first["next"].text()));
  EXPECT_EQ(second["stories"].items().size(), 3u);
  EXPECT_EQ(second["stories"].items()[2]["n"].count(), 1u);
  EXPECT_TRUE(second["next"].is_null());
  EXPECT_EQ(json("/api/v1/stories?since=150m")["stories"].items().size(), 2u);
}

TEST_F(Http, one_story_is_found_by_its_id) {
  serve();
  EXPECT_EQ(json("/api/v1/stories/00000001.3")["n"].count(), 3u);
  EXPECT_THAT(get("/api/v1/stories/00000001.77"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/api/v1/stories/%00%ff../../x"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(Http, what_has_not_changed_is_not_sent_again) {
  serve();
  const auto answer = get("/api/v1/schemas");
  const auto begin = answer.find("ETag: ") + 6;
  const auto etag = answer.substr(begin, answer.find('\r', begin) - begin);
  EXPECT_THAT(get("/api/v1/schemas", fmt::format("If-None-Match: \"x\", {}\r\n", etag)),
              AllOf(StartsWith("HTTP/1.1 304 "), Not(HasSubstr("test.tick"))));
  EXPECT_THAT(get("/api/v1/schemas", "If-None-Match: \"x\"\r\n"), HasSubstr("test.tick"));
}

TEST_F(Http, the_latest_records_come_by_name_and_type_and_in_pages) {
  serve();
  offer(batch(kTick, 1, 5));
  offer(batch(kTock, 6, 5));
  const auto ticks = json("/api/v1/records?name=test.tick&limit=3");
  ASSERT_EQ(ticks["records"].items().size(), 3u);
  EXPECT_EQ(ticks["records"].items()[0]["id"].text(), "00000001.5");
  EXPECT_EQ(ticks["next"].text(), "00000001.3");
  const auto more = json("/api/v1/records?name=test.tick&limit=3&cursor=00000001.3");
  EXPECT_EQ(more["records"].items().size(), 2u);
  EXPECT_TRUE(more["next"].is_null());
  EXPECT_EQ(json("/api/v1/records?type=finding")["records"].items().size(), 5u);
  EXPECT_EQ(json("/api/v1/records")["kept"].count(), 10u);
}

TEST_F(Http, one_record_is_found_by_its_id_as_long_as_it_is_kept) {
  serve();
  offer(batch(kTick, 1, 5));
  EXPECT_EQ(json("/api/v1/records/00000001.4")["id"].text(), "00000001.4");
  EXPECT_THAT(get("/api/v1/records/00000001.77"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/api/v1/records/nonsense"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(Http, processes_are_asked_for_once_a_second_at_most) {
  serve();
  const auto began = monotonic_now();
  for (int i = 0; i < 50; ++i) get("/api/v1/processes");
  EXPECT_LE(agent.listed, 1 + (monotonic_now() - began) / 1s);
}

TEST_F(Http, the_page_is_for_everybody_and_in_no_frame) {
  config.token_file = file("token", std::string(kToken) + "\n");
  serve();
  EXPECT_THAT(get("/"), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Type: text/html"),
                              HasSubstr("frame-ancestors 'none'"), HasSubstr("ETag: "),
                              HasSubstr("<!doctype html>")));
}

TEST_F(Http, records_are_kept_up_to_their_bound) {
  config.recent = ByteSize{64 << 10};
  serve();
  offer(batch(kTick, 1, 1000, std::string(1000, 'y')));
  const auto records = json("/api/v1/records");
  EXPECT_LT(records["kept"].count(), 64u);
  EXPECT_EQ(records["kept"].count() + records["forgotten"].count(), 1000u);
  EXPECT_EQ(records["records"].items()[0]["id"].text(), "00000001.1000");
}

TEST_F(Http, the_description_has_every_route_and_every_route_answers) {
  serve();
  const auto paths = json("/api/v1/openapi.json")["paths"];
  EXPECT_EQ(paths.members().size(), routes().size());
  for (const auto& [path, operations] : paths.members()) {
    EXPECT_FALSE(operations["get"]["summary"].text().empty()) << path;
    if (path.contains('{') || path.ends_with("events")) continue;
    EXPECT_THAT(get(path), StartsWith("HTTP/1.1 200 ")) << path;
  }
}

TEST_F(Http, health_is_told_without_asking_the_pipeline) {
  agent.now = {.alive = true, .ready = false, .why = "it starts"};
  serve();
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("it starts")));
  EXPECT_EQ(agent.asked, 0);
}

TEST_F(Http, what_is_not_understood_is_refused_with_a_sentence) {
  serve();
  EXPECT_THAT(get("/nothing"), AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("openapi.json")));
  EXPECT_THAT(get("/api/v1/stories?limit=0"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("1 to 1000")));
  EXPECT_THAT(get("/api/v1/status?x=%00"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(get("/api/v1/status?limit"), StartsWith("HTTP/1.1 400 "));
  Caller post(server->address());
  post.say("DELETE /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(post.hear(), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD")));
  EXPECT_GE(server->counts().refused, 4u);
}

TEST_F(Http, bodies_and_headers_without_end_are_not_taken) {
  serve();
  Caller body(server->address());
  body.say("POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n");
  EXPECT_THAT(body.hear(), StartsWith("HTTP/1.1 413 "));
  Caller headers(server->address());
  headers.say("GET / HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 100; ++i) headers.say(fmt::format("X-{}: {}\r\n", i, std::string(1000, 'x')));
  EXPECT_THAT(headers.hear(), Not(HasSubstr("200")));
  EXPECT_THAT(Caller(server->address()).say("\r\n\r\nnonsense\r\n\r\n").hear(),
              Not(HasSubstr("200")));
}

TEST_F(Http, a_page_elsewhere_cannot_ask_through_a_name_that_means_loopback) {
  serve();
  Caller peer(server->address());
  peer.say("GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(peer.hear(), StartsWith("HTTP/1.1 403 "));
}

TEST_F(Http, with_a_token_only_who_sends_it_is_answered) {
  config.token_file = file("token", std::string(kToken) + "\n");
  serve();
  EXPECT_THAT(get("/api/v1/status"),
              AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("WWW-Authenticate: Bearer")));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(get("/api/v1/events"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(get("/api/v1/status", "Authorization: Bearer 0123456789abcdef\r\n"),
              StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(get("/api/v1/status", fmt::format("Authorization: Bearer {}\r\n", kToken)),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http, does_not_start_with_secrets_that_everybody_has_or_that_are_none) {
  const auto refusal = [&] {
    const auto opened = HttpServer::open(config, agent);
    return opened ? "" : opened.error().what;
  };
  config.token_file = file("token", kToken, 0644);
  EXPECT_THAT(refusal(), HasSubstr("chmod"));
  config.token_file = file("short", "secret");
  EXPECT_THAT(refusal(), HasSubstr("16 to 1024"));
  config.token_file = directory_;
  EXPECT_THAT(refusal(), HasSubstr("no file"));
  config.token_file.clear();
  config.tls_certificate = file("certificate", "nonsense");
  config.tls_key = file("key", "nonsense");
  EXPECT_THAT(refusal(), HasSubstr("PEM"));
}

TEST_F(Http, does_not_start_where_somebody_listens_or_open_to_everybody) {
  serve();
  config.listen = server->address();
  const auto second = HttpServer::open(config, agent);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("in use"));
  config.listen = "0.0.0.0:0";
  EXPECT_THAT(HttpServer::open(config, agent).error().what, HasSubstr("insecure"));
}

TEST_F(Http, records_stream_as_they_come_with_their_ids) {
  serve();
  Caller peer(server->address());
  peer.say("GET /api/v1/events?name=test.tick HTTP/1.1\r\nHost: localhost\r\n\r\n");
  peer.hear("retry: 2000\n\n");
  offer(batch(kTock, 1, 1));
  offer(batch(kTick, 2, 1));
  const auto heard = peer.hear("\"text\":\"x\"}\n\n");
  EXPECT_THAT(heard, AllOf(HasSubstr("text/event-stream"),
                           HasSubstr("id: 00000001.2\ndata: {\"type\":\"event\"")));
  EXPECT_THAT(heard, Not(HasSubstr("test.tock")));
  EXPECT_EQ(server->counts().streams, 1u);
}

TEST_F(Http, a_stream_goes_on_behind_the_last_event_that_was_read) {
  serve();
  offer(batch(kTick, 1, 4));
  const auto from = [&](std::string_view id, std::string_view until) {
    Caller peer(server->address());
    peer.say(fmt::format(
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {}\r\n\r\n", id));
    return peer.hear(until);
  };
  const auto known = from("00000001.2", "id: 00000001.4\n");
  EXPECT_THAT(known, AllOf(HasSubstr("id: 00000001.3\n"), Not(HasSubstr("id: 00000001.2\n"))));
  EXPECT_THAT(known, Not(HasSubstr("reset")));
  for (const auto* unknown : {"00000001.99", "00000007.2", "nonsense", ""})
    EXPECT_THAT(from(unknown, "id: 00000001.4\n"),
                AllOf(HasSubstr("event: reset\n"), HasSubstr("id: 00000001.1\n")));
}

TEST_F(Http, who_never_reads_his_stream_costs_nobody_anything_and_is_told_what_he_missed) {
  config.recent = ByteSize{1 << 20};
  serve();
  Caller lazy(server->address());
  lazy.say("GET /api/v1/events?name=test.tick HTTP/1.1\r\nHost: localhost\r\n\r\n");
  lazy.hear("retry: 2000\n\n");
  constexpr std::uint64_t kBatches = 150, kEach = 100;
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    server->offer(batch(kTick, 1 + i * kEach, kEach, std::string(1000, 'y')));
    if (i % 10 == 9) get("/healthz");
  }
  const auto counts = server->counts();
  EXPECT_GT(counts.dropped, 0u);
  EXPECT_THAT(get("/api/v1/status"), StartsWith("HTTP/1.1 200 "));
  const auto heard = lazy.hear("id: 00000001.15000\n");
  EXPECT_THAT(heard,
              AllOf(HasSubstr("\"reason\":\"slow_reader\""), HasSubstr("\"stage\":\"stream\"")));
  EXPECT_EQ(server->counts().lines + server->counts().dropped, kBatches * kEach);
}

TEST_F(Http, who_never_takes_what_waits_for_him_is_closed) {
  config.answer_time = 200ms;
  serve();
  Caller lazy(server->address());
  lazy.say("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  lazy.hear("retry: 2000\n\n");
  get("/healthz");  // so that it is counted
  for (std::uint64_t i = 0; server->counts().streams > 0; ++i) {
    ASSERT_LT(i, 100'000u);
    offer(batch(kTick, 1 + i * 100, 100, std::string(1000, 'y')));
  }
  EXPECT_GE(server->counts().refused, 1u);
}

TEST_F(Http, streams_are_bounded) {
  config.streams = 1;
  serve();
  Caller first(server->address());
  first.say("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").hear("retry: 2000\n\n");
  EXPECT_THAT(get("/api/v1/events"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(Http, a_thousand_idle_connections_are_bounded_and_counted_and_keep_nobody_out) {
  config.connections = 32;
  serve();
  std::vector<std::unique_ptr<Caller>> idle;
  for (int i = 0; i < 1000; ++i) idle.push_back(std::make_unique<Caller>(server->address()));
  EXPECT_THAT(get("/api/v1/status"), StartsWith("HTTP/1.1 200 "));
  const auto counts = server->counts();
  EXPECT_LE(counts.clients, 32u + 128u);
  EXPECT_GE(counts.refused + counts.clients, 900u);
}

TEST_F(Http, a_request_that_never_ends_is_closed) {
  config.request_time = 100ms;
  serve();
  Caller slow(server->address());
  slow.say("GET /api/v1/status HTTP/1.1\r\nHo");
  EXPECT_EQ(slow.hear(), "");
  EXPECT_EQ(server->counts().refused, 1u);
}

TEST_F(Http, a_connection_serves_several_requests) {
  serve();
  Caller peer(server->address());
  for (int i = 0; i < 3; ++i) peer.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  peer.say("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const auto heard = peer.hear();
  EXPECT_THAT(heard, HasSubstr("\"pid\":1"));
  EXPECT_EQ(server->counts().requests, 4u);
}

TEST_F(Http, stops_while_clients_are_idle_ask_and_stream) {
  serve();
  Caller idle(server->address());
  Caller asking(server->address());
  asking.say("GET /api");
  Caller streaming(server->address());
  streaming.say("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").hear("retry: 2000\n\n");
  server.reset();
  EXPECT_THAT(streaming.hear(), HasSubstr("retry"));
  EXPECT_EQ(idle.hear(), "");
}

}  // namespace
}  // namespace tapio::serve

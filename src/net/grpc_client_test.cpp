// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_client.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "h2_peer.hpp"
#include "temporary.hpp"

namespace tapio::net {
namespace {

using namespace std::chrono_literals;
using namespace h2;
using testing::HasSubstr;

constexpr unsigned kIts = H2Peer::kItsStream;
const Fields kHead = {{":status", "200"}, {"content-type", "application/grpc"}};

GrpcClient client(const std::string& path, std::size_t most = 1000,
                  std::chrono::milliseconds time = 10s) {
  auto made = GrpcClient::make({.unix_socket = path, .time = time, .max_message_bytes = most});
  if (!made) std::abort();
  return std::move(*made);
}

class GrpcClients : public testing::Test {
 protected:
  // What becomes of a call that is answered like this.
  Result<GrpcReply> call(const std::string& answer) {
    const Temporary directory;
    const H2Peer peer(directory.file("s"), {answer});
    return client(directory.file("s")).call("/a.B/C", "request", {});
  }
  void refuse(const std::string& answer, const char* why) {
    const auto reply = call(answer);
    ASSERT_FALSE(reply) << why;
    EXPECT_EQ(reply.error().fault, Fault::invalid) << reply.error().what;
    EXPECT_THAT(reply.error().what, HasSubstr(why));
  }
};

TEST_F(GrpcClients, get_a_message_and_how_it_ended) {
  const auto reply = call(grpc_answer(std::string("a\0b", 3)));
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_EQ(reply->message, std::string("a\0b", 3));
  EXPECT_EQ(reply->end.status, kGrpcOk);
}

TEST_F(GrpcClients, take_a_failure_for_a_reply_and_decode_its_reason) {
  const auto reply = call(grpc_failure("5", "no%20such %e2%82%ac 100% %zz %"));
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_EQ(reply->end.status, kGrpcNotFound);
  EXPECT_EQ(reply->end.message, "no such \xe2\x82\xac 100% %zz %");
}

TEST_F(GrpcClients, ask_again) {
  const Temporary directory;
  const H2Peer peer(directory.file("s"), {grpc_answer("one"), grpc_answer("two")});
  auto asking = client(directory.file("s"));
  for (const char* expected : {"one", "two"}) {
    const auto reply = asking.call("/a.B/C", "", {});
    ASSERT_TRUE(reply) << reply.error().what;
    EXPECT_EQ(reply->message, expected);
  }
}

TEST_F(GrpcClients, refuse_what_does_not_keep_to_the_protocol) {
  const auto head = frame(headers, end_headers, block(kHead), kIts);
  const auto end = frame(headers, end_headers | end_stream, block({{"grpc-status", "0"}}), kIts);
  refuse(head + frame(data, end_stream, message("x"), kIts), "without a grpc-status");
  refuse(head + end, "without a message");
  refuse(head + frame(data, none, message("x") + message("y"), kIts) + end, "more than one");
  refuse(head + frame(data, none, message("xyz").substr(0, 6), kIts) + end, "within a message");
  refuse(head + frame(data, none, message("x", 1), kIts) + end, "compressed");
  refuse(head + frame(data, none, std::string(1, '\0') + "\xff\xff\xff\xff", kIts) + end,
         "a message of 4294967295 bytes");
  refuse(head + frame(data, none, message(std::string(1001, 'x')), kIts) + end, "1001 bytes");
  refuse(head + frame(data, none, message("x"), kIts) +
             frame(headers, end_headers | end_stream, block({{"grpc-status", "zero"}}), kIts),
         "without a grpc-status");
  refuse(frame(headers, end_headers | end_stream, block({{":status", "503"}}), kIts), "HTTP 503");
  refuse(frame(headers, end_headers, block({{":status", "200"}, {"content-type", "text/html"}}),
               kIts) +
             frame(data, end_stream, "<html>", kIts),
         "not as a gRPC server");
}

TEST_F(GrpcClients, hang_up_when_there_is_no_end_of_headers) {
  Fields many = kHead;
  for (int i = 0; i < 100; ++i) many.emplace_back("x" + std::to_string(i), std::string(120, 'y'));
  const auto some = frame(headers, end_headers, block(many), kIts);
  many.erase(many.begin(), many.begin() + 2);
  const auto more = frame(headers, end_headers | end_stream, block(many), kIts);
  refuse(some + frame(data, none, message("x"), kIts) + more, "too many headers");
}

TEST_F(GrpcClients, survive_what_is_not_even_http) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string(100'000, '\xff'),
        frame(reset, 0, number(2, 4), kIts), frame(data, none, message("x"), kIts),
        frame(headers, end_headers, std::string(50, '\xff'), kIts)}) {
    const Temporary directory;
    const H2Peer peer(directory.file("s"), {answer});
    const auto reply = client(directory.file("s"), 1000, 2s).call("/a.B/C", "", {});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().fault, Fault::unavailable) << reply.error().what;
  }
}

TEST_F(GrpcClients, hear_a_stream_message_by_message) {
  const Temporary directory;
  const auto bytes = message("one") + message("") + message("three");
  std::string answer = frame(headers, end_headers, block(kHead), kIts);
  for (const char& byte : bytes) answer += frame(data, none, std::string_view(&byte, 1), kIts);
  answer += frame(headers, end_headers | end_stream, block({{"grpc-status", "0"}}), kIts);
  const H2Peer peer(directory.file("s"), {answer});
  std::vector<std::string> heard;
  const auto hear = [&](std::string_view each) {
    heard.emplace_back(each);
    return true;
  };
  const auto end = client(directory.file("s")).stream("/a.B/C", "", hear, {});
  ASSERT_TRUE(end) << end.error().what;
  EXPECT_THAT(heard, testing::ElementsAre("one", "", "three"));
}

TEST_F(GrpcClients, stop_in_the_middle_of_a_stream) {
  const Temporary directory;
  const H2Peer peer(directory.file("s"), {frame(headers, end_headers, block(kHead), kIts) +
                                          frame(data, none, message("one"), kIts)});
  std::stop_source stop;
  const auto hear = [&](std::string_view) { return stop.request_stop(); };
  const auto end =
      client(directory.file("s"), 1000, 0ms).stream("/a.B/C", "", hear, stop.get_token());
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().what, "stopped");
}

TEST_F(GrpcClients, wait_no_longer_than_they_may) {
  const Temporary directory;
  const Fd mute = listening(directory.file("s"));
  const auto reply = client(directory.file("s"), 1000, 50ms).call("/a.B/C", "", {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::unavailable);
}

TEST_F(GrpcClients, say_that_nobody_is_there) {
  const Temporary directory;
  const auto reply = client(directory.file("s")).call("/a.B/C", "", {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::unavailable);
  EXPECT_EQ(reply.error().what, "nobody listens on " + directory.file("s"));
}

TEST(GrpcFrames, are_put_together_however_they_come) {
  const auto bytes = message("one") + message("") + message(std::string(300, 'x'));
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    GrpcFrames frames(300);
    std::vector<std::string> heard;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      ASSERT_TRUE(frames.feed(std::string_view(bytes).substr(at, piece), [&](auto each) {
        heard.emplace_back(each);
        return true;
      }));
    EXPECT_THAT(heard, testing::ElementsAre("one", "", std::string(300, 'x')));
    EXPECT_TRUE(frames.between_messages());
  }
}

}  // namespace
}  // namespace tapio::net

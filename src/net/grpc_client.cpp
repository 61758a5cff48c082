// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tapio::net {

namespace {

constexpr std::size_t kHead = 5;  // of a message: compressed or not, and its length

std::size_t length_of(std::string_view head) {
  std::size_t length = 0;
  for (const char byte : head.substr(1, 4)) length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

std::string framed(std::string_view message) {
  std::string frame(kHead, '\0');
  for (std::size_t i = 0; i < 4; ++i)
    frame[1 + i] = static_cast<char>(message.size() >> (8 * (3 - i)) & 0xff);
  return frame.append(message);
}

// The value of a header line, or nothing.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      !std::ranges::equal(line.substr(0, name.size()), name, same))
    return {};
  line.remove_prefix(name.size() + 1);
  while (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

std::optional<unsigned> number_of(std::string_view text, int base) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// grpc-message is percent-encoded; what is not well encoded stays as it is.
std::string decoded(std::string_view text) {
  std::string plain;
  while (!text.empty() && plain.size() < GrpcClient::kMaxReason) {
    const auto code = text.front() == '%' && text.size() > 2 ? number_of(text.substr(1, 2), 16)
                                                             : std::optional<unsigned>{};
    plain += code ? static_cast<char>(*code) : text.front();
    text.remove_prefix(code ? 3 : 1);
  }
  return plain;
}

class Hearing final : public HttpHearer {
 public:
  Hearing(std::size_t max_message_bytes, const GrpcFrames::OnMessage& on_message)
      : frames_(max_message_bytes), on_message_(on_message) {}

  bool on_header(std::string_view line) override {
    header_bytes_ += line.size();
    if (header_bytes_ > GrpcClient::kMaxHeaderBytes) return refuse("too many headers");
    if (const auto type = value_of(line, "content-type"))
      is_grpc_ = type->starts_with("application/grpc");
    if (const auto status = value_of(line, "grpc-status")) status_ = number_of(*status, 10);
    if (const auto message = value_of(line, "grpc-message")) message_ = decoded(*message);
    return true;
  }

  bool on_body(std::string_view bytes) override {
    if (!is_grpc_) return refuse("it answers, but not as a gRPC server does");
    if (auto fed = frames_.feed(bytes, on_message_); !fed)
      return refuse(std::move(fed.error().what));
    return true;
  }

  // What it did not like; it hung up then.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  [[nodiscard]] Result<GrpcEnd> end(unsigned http_status) const {
    if (http_status != 200) return invalid(fmt::format("it answers with HTTP {}", http_status));
    if (!is_grpc_) return invalid("it answers, but not as a gRPC server does");
    if (!status_) return invalid("its answer ends without a grpc-status");
    if (*status_ == kGrpcOk && !frames_.between_messages())
      return invalid("its answer ends within a message");
    return GrpcEnd{.status = *status_, .message = message_};
  }

 private:
  bool refuse(std::string why) {
    trouble_ = std::move(why);
    return false;
  }

  GrpcFrames frames_;
  const GrpcFrames::OnMessage& on_message_;
  std::size_t header_bytes_ = 0;
  bool is_grpc_ = false;
  std::optional<unsigned> status_;
  std::string message_, trouble_;
};

}  // namespace

Status GrpcFrames::feed(std::string_view bytes, const OnMessage& on_message) {
  while (!bytes.empty()) {
    const auto wanted = kept_.size() < kHead ? kHead : kHead + length_of(kept_);
    const auto piece = bytes.substr(0, wanted - kept_.size());
    kept_.append(piece);
    bytes.remove_prefix(piece.size());
    if (kept_.size() < kHead) break;
    if (kept_.front() != 0) return invalid("a message is compressed, which nobody asked for");
    if (length_of(kept_) > most_)
      return invalid(
          fmt::format("a message of {} bytes, of which {} may be", length_of(kept_), most_));
    if (kept_.size() < kHead + length_of(kept_)) continue;
    const std::string message = std::exchange(kept_, {});
    if (!on_message(std::string_view(message).substr(kHead))) return invalid("nobody wants more");
  }
  return {};
}

Result<GrpcClient> GrpcClient::make(GrpcOptions options) {
  auto http = TRY(HttpClient::make({.connect_time = std::chrono::milliseconds(2'000),
                                    .time = options.time,
                                    .unix_socket = options.unix_socket,
                                    .http2 = true}));
  return GrpcClient(std::move(options), std::move(http));
}

Result<GrpcReply> GrpcClient::call(std::string_view method, std::string_view message,
                                   const std::stop_token& stop) {
  std::size_t count = 0;
  GrpcReply reply;
  const auto keep = [&](std::string_view answer) {
    reply.message = answer;
    return ++count == 1;
  };
  auto end = stream(method, message, keep, stop);
  if (count > 1) return invalid("more than one message for an answer");
  reply.end = TRY(std::move(end));
  if (reply.end.status == kGrpcOk && count == 0) return invalid("an answer without a message");
  return reply;
}

Result<GrpcEnd> GrpcClient::stream(std::string_view method, std::string_view message,
                                   const GrpcFrames::OnMessage& on_message,
                                   const std::stop_token& stop) {
  const std::string body = framed(message);
  HttpRequest request{
      .url = fmt::format("http://localhost{}", method),
      .headers = {"Content-Type: application/grpc", "TE: trailers", "User-Agent: tapio", "Expect:"},
      .body = body};
  if (options_.time.count() > 0)
    request.headers.push_back(fmt::format("grpc-timeout: {}m", options_.time.count()));
  Hearing hearing(options_.max_message_bytes, on_message);
  const auto status = http_.post(request, hearing, stop);
  if (!hearing.trouble().empty()) return invalid(hearing.trouble());
  return hearing.end(TRY(status));
}

}  // namespace tapio::net

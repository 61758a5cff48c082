// SPDX-License-Identifier: Apache-2.0
#include "nats_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "base/settings.hpp"

namespace tapio::nats {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kVersion = "NATS/1.0";
constexpr std::string_view kIdHeader = "NATS/1.0\r\nNats-Msg-Id: ";
constexpr std::string_view kHeadersEnd = "\r\n\r\n";
constexpr std::size_t kRead = 16 << 10;

std::unexpected<Error> nonsense(std::string_view what) {
  return fail(Fault::unavailable,
              fmt::format("the server speaks no NATS: {}", config::shown(what)));
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// subject, sid, perhaps reply, and one or two lengths: the words of a line, at most five.
struct Words {
  static constexpr std::size_t kMost = 5;
  std::array<std::string_view, kMost> list{};
  std::size_t count = 0;  // kMost + 1: there are more
};

Words words_of(std::string_view line) {
  Words words;
  while (words.count <= Words::kMost) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty()) break;
    const auto word = line.substr(0, line.find_first_of(" \t"));
    if (words.count < Words::kMost) words.list[words.count] = word;
    ++words.count;
    line.remove_prefix(word.size());
  }
  return words;
}

// "NATS/1.0 503 ...": what stands behind the version.
unsigned status_of(std::string_view headers) {
  auto line = headers.substr(0, headers.find(kEnd));
  if (!line.starts_with(kVersion)) return 0;
  line.remove_prefix(kVersion.size());
  const auto words = words_of(line);
  return words.count == 0 ? 0 : static_cast<unsigned>(number(words.list[0]).value_or(0));
}

std::string_view behind_first_line(std::string_view headers) {
  const auto end = headers.find(kEnd);
  return end == headers.npos ? std::string_view() : headers.substr(end + kEnd.size());
}

struct Word {
  std::string_view word;
  Said::Kind kind;
};
constexpr std::array kWords = {Word{"INFO", Said::Kind::info}, Word{"PING", Said::Kind::ping},
                               Word{"PONG", Said::Kind::pong}, Word{"+OK", Said::Kind::ok},
                               Word{"-ERR", Said::Kind::error}};

}  // namespace

std::span<char> Reader::room() {
  buffer_.erase(0, begin_);
  end_ -= begin_;
  begin_ = 0;
  buffer_.resize(end_ + kRead);
  return std::span(buffer_).subspan(end_);
}

Result<std::optional<Said>> Reader::next() {
  const std::string_view all = std::string_view(buffer_).substr(begin_, end_ - begin_);
  const auto end = all.substr(0, kMaxLine).find(kEnd);
  if (end == all.npos && all.size() >= kMaxLine) return nonsense(all.substr(0, kMaxLine));
  if (end == all.npos) return std::nullopt;
  const auto line = all.substr(0, end);
  const auto word = line.substr(0, line.find_first_of(" \t"));
  const auto arguments = line.substr(std::min(word.size() + 1, line.size()));
  if (word == "MSG" || word == "HMSG") return message(arguments, word == "HMSG", end + kEnd.size());
  const auto known = std::ranges::find(kWords, word, &Word::word);
  if (known == kWords.end()) return nonsense(line);
  begin_ += end + kEnd.size();
  return Said{.kind = known->kind, .text = arguments};
}

Result<std::optional<Said>> Reader::message(std::string_view arguments, bool with_headers,
                                            std::size_t line_bytes) {
  const auto words = words_of(arguments);
  const std::size_t fewest = with_headers ? 4 : 3;
  if (words.count < fewest || words.count > fewest + 1) return nonsense(arguments);
  const auto all = number(words.list[words.count - 1]);
  const auto headers =
      with_headers ? number(words.list[words.count - 2]) : std::optional<std::size_t>(0);
  if (!all || !headers || *headers > *all) return nonsense(arguments);
  if (*all > max_payload_)
    return fail(Fault::unavailable, fmt::format("the server sent {} bytes in one message", *all));
  if (unread() < line_bytes + *all + kEnd.size()) return std::nullopt;
  const auto body = std::string_view(buffer_).substr(begin_ + line_bytes, *all + kEnd.size());
  if (!body.ends_with(kEnd)) return nonsense(arguments);
  begin_ += line_bytes + body.size();
  const auto head = body.substr(0, *headers);
  return Said{.kind = Said::Kind::message,
              .subject = words.list[0],
              .status = status_of(head),
              .headers = behind_first_line(head),
              .text = body.substr(*headers, *all - *headers)};
}

std::size_t Publication::bytes() const {
  return text.size() + (id.empty() ? 0 : kIdHeader.size() + id.size() + kHeadersEnd.size());
}

void append_publication(std::string& out, const Publication& publication) {
  const auto& [subject, reply, id, text] = publication;
  if (id.empty()) {
    fmt::format_to(std::back_inserter(out), "PUB {} {} {}\r\n", subject, reply, text.size());
  } else {
    fmt::format_to(std::back_inserter(out), "HPUB {} {} {} {}\r\n", subject, reply,
                   publication.bytes() - text.size(), publication.bytes());
    out.append(kIdHeader).append(id).append(kHeadersEnd);
  }
  out.append(text).append(kEnd);
}

}  // namespace tapio::nats

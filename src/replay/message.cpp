// SPDX-License-Identifier: Apache-2.0
#include "replay/message.hpp"

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <cstring>
#include <utility>

#include "decode/wire.hpp"

namespace tapio::replay {

namespace {

// Packs and unpacks with the same lists of fields. What is common to both is called with const
// values by the one and changes them by the other.
class Writer {
 public:
  explicit Writer(std::string& out) { pack_.bytes().swap(out); }
  Writer& operator()(const auto& value) {
    pack_(value);
    return *this;
  }
  Writer& operator()(Bytes bytes) {
    pack_.bytes().append(wire::chars(bytes));
    return *this;
  }
  Writer& operator()(std::span<const std::string_view> list) {
    pack_(list.size());
    for (const auto text : list) pack_(text);
    return *this;
  }
  template <typename E>
    requires std::is_enum_v<E>
  Writer& operator()(const E& value) {
    return (*this)(static_cast<std::uint64_t>(value));
  }
  std::string& bytes() { return pack_.bytes(); }

 private:
  Packer pack_;
};

class Reader {
 public:
  Reader(std::string_view bytes, std::vector<std::string_view>& list)
      : unpack_(bytes), list_(list) {}
  Reader& operator()(auto& value) {
    unpack_(value);
    return *this;
  }
  // So that no sum of two times, nor one with a duration of ours, overflows.
  Reader& operator()(std::chrono::nanoseconds& time) {
    if (unpack_(time).ok() && (time > kLatest || time < -kLatest)) unpack_.fail();
    return *this;
  }
  Reader& operator()(Bytes& bytes) {  // the rest
    bytes = std::as_bytes(std::span(unpack_.rest()));
    unpack_ = Unpacker({});
    return *this;
  }
  Reader& operator()(std::span<const std::string_view>& list) {
    std::size_t count = 0;
    if (!unpack_(count).ok() || count > kMaxListed) return unpack_.fail(), *this;
    list_.assign(count, {});
    for (auto& text : list_) unpack_(text);
    list = list_;
    return *this;
  }
  // Its last value is the largest there is.
  template <typename E>
    requires std::is_enum_v<E>
  Reader& enumerated(E& value, E last) {
    std::uint64_t number = 0;
    if (unpack_(number).ok() && number > static_cast<std::uint64_t>(last)) unpack_.fail();
    if (unpack_.ok()) value = static_cast<E>(number);
    return *this;
  }
  [[nodiscard]] bool done() const { return unpack_.done(); }

 private:
  Unpacker unpack_;
  std::vector<std::string_view>& list_;
};

template <typename T, typename Kind>
concept Like = std::same_as<std::remove_const_t<T>, Kind>;

void fields(auto& io, Like<Starting> auto& i) {
  io(i.observer)(i.provider);
}
void fields(auto& io, Like<ClocksRead> auto& i) {
  io(i.clocks.wall_ahead)(i.clocks.boottime_ahead)(i.now);
}
void fields(auto& io, Like<Watching> auto& i) {
  io(i.since);
}
void fields(auto& io, Like<Samples> auto& i) {
  io(i.block);
}
void fields(auto& io, Like<Advanced> auto& i) {
  io(i.watermark);
}
void fields(auto&, Like<Flushed> auto&) {}
void fields(auto& io, Like<ProcessFound> auto& i) {
  auto& p = i.process;
  auto& c = p.credentials;
  io(p.time)(p.process.pid)(p.process.start_ticks)(p.parent.pid)(p.parent.start_ticks);
  io(p.virtual_pid)(p.pid_namespace)(p.cgroup_id);
  io(c.uid)(c.gid)(c.suid)(c.sgid)(c.euid)(c.egid)(c.user_namespace);
  io(c.inheritable)(c.permitted)(c.effective)(c.bounding)(c.ambient);
  io(p.name)(p.executable)(p.args)(p.args_bytes);
}
void fields(auto& io, Like<ResyncBegan> auto& i) {
  io(i.now);
}
void fields(Writer& io, const ResyncEnded& i) {
  io(i.coverage);
}
void fields(Reader& io, ResyncEnded& i) {
  io.enumerated(i.coverage, Coverage::partial);
}
void fields(auto& io, Like<WalkBegan> auto& i) {
  io(i.now);
}
void fields(auto& io, Like<CgroupFound> auto& i) {
  io(i.time)(i.id)(i.path);
}
void fields(auto& io, Like<WalkEnded> auto& i) {
  io(i.now);
}
void fields(auto& io, Like<SurplusTaken> auto& i) {
  io(i.observer)(i.surplus.cgroup_id)(i.surplus.detail)(i.surplus.count)(i.now);
}
void fields(auto& io, Like<LossFound> auto& i) {
  io(i.observer)(i.event_class)(i.stage)(i.reason)(i.from)(i.to)(i.count);
}
void fields(auto& io, Like<SightChanged> auto& i) {
  io(i.blind_spots);
}
void fields(auto& io, Like<Ticked> auto& i) {
  io(i.now);
}
void fields(Writer& io, const Ended& i) {
  io(i.why);
}
void fields(Reader& io, Ended& i) {
  io.enumerated(i.why, End::full);
}

template <std::size_t N>
bool read_as(Reader& reader, Input& input) {
  fields(reader, input.emplace<N>());
  return reader.done();
}

template <std::size_t... N>
constexpr auto readers(std::index_sequence<N...>) {
  return std::array<bool (*)(Reader&, Input&), sizeof...(N)>{&read_as<N>...};
}
constexpr auto kReaders = readers(std::make_index_sequence<std::variant_size_v<Input>>());

}  // namespace

void append(std::string& out, const Message& message) {
  Packer size;
  size(message.body.size());
  out.append(1, static_cast<char>(message.number)).append(size.bytes()).append(message.body);
}

std::optional<Message> take(std::string_view& bytes) {
  Unpacker unpack(bytes.substr(std::min<std::size_t>(bytes.size(), 1)));
  Message message;
  if (bytes.empty() || !unpack(message.body).ok() || message.body.size() > kMaxMessage) return {};
  message.number = static_cast<std::uint8_t>(bytes.front());
  bytes = unpack.rest();
  return message;
}

Message message_of(const Input& input, std::string& body) {
  body.clear();
  Writer writer(body);
  std::visit([&](const auto& i) { fields(writer, i); }, input);
  body.swap(writer.bytes());
  return {static_cast<std::uint8_t>(input.index()), body};
}

Result<Input> input_of(const Message& message, std::vector<std::string_view>& list) {
  if (message.number >= kReaders.size())
    return invalid(fmt::format("an input of kind {}, which is not known", message.number));
  Input input;
  Reader reader(message.body, list);
  if (!kReaders[message.number](reader, input))
    return invalid(fmt::format("an input of kind {} that cannot be read", message.number));
  return input;
}

Message message_of(const Answer& answer, std::string& body) {
  body.clear();
  Writer writer(body);
  writer(answer.question)(answer.text);
  body.swap(writer.bytes());
  return {kAnswer, body};
}

Result<Answer> answer_of(const Message& message) {
  Answer answer;
  Unpacker unpack(message.body);
  if (message.number != kAnswer || !unpack(answer.question)(answer.text).done())
    return invalid("an answer that cannot be read");
  return answer;
}

}  // namespace tapio::replay

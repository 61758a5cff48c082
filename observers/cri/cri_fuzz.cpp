// SPDX-License-Identifier: Apache-2.0
// What a runtime answers, byte by byte: frames of gRPC, messages of CRI and of containerd's events,
// JSON of Docker; and what lies in a recording. The first byte says as what the rest is read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collected.hpp"
#include "cri_docker_json.hpp"
#include "cri_messages.hpp"
#include "cri_observer.hpp"
#include "cri_told.hpp"
#include "net/grpc_client.hpp"

namespace {

using namespace tapio;
using namespace tapio::cri;

void hold(bool what) {
  if (!what) std::abort();
}

void check(const Described& one) {
  hold(is_id(one.id));
  hold(one.name.size() <= kMaxName && one.image.size() <= kMaxName);
  hold(one.pod.name.size() <= kMaxName && one.pod.space.size() <= kMaxName);
  hold(one.exit_reason.size() <= kMaxName && one.labels.size() <= kMaxLabels);
}

template <typename Answers>
void check_all(const Answers& answers) {
  if (!answers) return;
  hold(answers->size() <= Runtime::kMaxContainers);
  for (const Described& one : *answers) check(one);
}

void read_messages(std::string_view bytes) {
  check_all(messages::containers(bytes));
  check_all(messages::sandboxes(bytes));
  if (const auto one = messages::container(bytes)) check(*one);
  if (const auto one = messages::sandbox(bytes)) check(*one);
  (void)messages::version(bytes);
  (void)messages::images(bytes);
  for (const auto& heard : {messages::cri_event(bytes), messages::containerd_event(bytes)})
    if (heard && heard->what == Heard::What::container) hold(is_id(heard->id));
}

void read_json(std::string_view text) {
  check_all(docker_json::containers(text));
  if (const auto one = docker_json::container(text)) check(*one);
  (void)docker_json::version(text);
  (void)docker_json::images(text);
  if (const auto heard = docker_json::event(text); heard && heard->what == Heard::What::container)
    hold(is_id(heard->id));
}

// In any pieces: what comes out does not depend on them, and is no longer than it may be.
void read_frames(std::string_view bytes) {
  constexpr std::size_t kMost = 100;
  const std::size_t piece = bytes.empty() ? 1 : 1 + static_cast<unsigned char>(bytes.front()) % 7;
  std::string whole, in_pieces;
  const auto into = [](std::string& all) {
    return [&all](std::string_view message) {
      hold(message.size() <= kMost);
      all.append(message).append("|");
      return true;
    };
  };
  net::GrpcFrames once(kMost), slowly(kMost);
  const bool fine = once.feed(bytes, into(whole)).has_value();
  bool fine_slowly = true;
  for (std::size_t at = 0; at < bytes.size() && fine_slowly; at += piece)
    fine_slowly = slowly.feed(bytes.substr(at, piece), into(in_pieces)).has_value();
  hold(fine == fine_slowly && whole == in_pieces);
}

// A recording may say anything; packing what was read gives what is read again.
void replay(std::string_view bytes) {
  const std::string again = packed(unpacked(bytes));
  hold(packed(unpacked(again)) == again);
  class Recorded final : public Outside {
   public:
    explicit Recorded(std::string_view answer) : answer_(answer) {}
    std::string ask(std::string_view, const Look&) override { return std::string(answer_); }

   private:
    std::string_view answer_;
  } recorded(bytes);
  Collected out;
  CriObserver observer({}, nullptr, recorded, bytes);
  observer.on_tick(MonotonicTime(1), out);
  (void)observer.remark();
  (void)observer.counters();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(static_cast<const char*>(static_cast<const void*>(data + 1)),
                               size - 1);
  switch (data[0] % 4) {
    case 0:
      read_messages(bytes);
      break;
    case 1:
      read_json(bytes);
      break;
    case 2:
      read_frames(bytes);
      break;
    default:
      replay(bytes);
  }
  return 0;
}

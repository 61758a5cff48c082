// SPDX-License-Identifier: Apache-2.0
#include "base/outside.hpp"

#include <unistd.h>

#include "base/pack.hpp"

namespace tapio {

namespace {

class Live final : public Outside {
 public:
  std::string ask(std::string_view, const Look& look) override { return look(); }
};

std::string packed(const Status& status) {
  Packer pack;
  if (status)
    pack(std::uint8_t{0});
  else
    pack(static_cast<std::uint8_t>(1 + static_cast<int>(status.error().fault)))(
        std::string_view(status.error().what));
  return std::move(pack.bytes());
}

Status unpacked(std::string_view answer) {
  Unpacker unpack(answer);
  std::uint8_t fault = 0;
  std::string_view what;
  if (unpack(fault).ok() && fault == 0) return {};
  if (!unpack(what).done() || fault > 1 + static_cast<int>(Fault::broken))
    return invalid("an answer that cannot be read");
  return fail(static_cast<Fault>(fault - 1), std::string(what));
}

}  // namespace

MonotonicTime Outside::now() {
  const auto answer = ask("now", [] {
    Packer pack;
    return std::move(pack(monotonic_now()).bytes());
  });
  MonotonicTime time{};
  Unpacker{answer}(time);
  return time;
}

std::uint64_t Outside::page_bytes() {
  constexpr std::uint64_t kSmallest = 4096;
  const auto answer = ask("page_bytes", [] {
    Packer pack;
    return std::move(pack(static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))).bytes());
  });
  std::uint64_t bytes = 0;
  Unpacker{answer}(bytes);
  return bytes >= kSmallest ? bytes : kSmallest;
}

Status Outside::attempt(std::string_view question, const std::function<Status()>& act) {
  return unpacked(ask(question, [&act] { return packed(act()); }));
}

Outside& live_outside() {
  static Live live;
  return live;
}

}  // namespace tapio

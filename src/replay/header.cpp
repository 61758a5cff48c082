// SPDX-License-Identifier: Apache-2.0
#include "replay/header.hpp"

#include <algorithm>

#include "base/config.hpp"
#include "base/pack.hpp"
#include "base/text.hpp"
#include "replay/message.hpp"

namespace tapio::replay {

namespace {

constexpr std::size_t kMaxWord = 128;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_word(std::string_view text) {
  return text.size() <= kMaxWord && printable(text) == text;
}

bool is_boot(std::string_view text) {
  constexpr std::size_t kBootDigits = 8;
  return text.empty() || (text.size() == kBootDigits &&
                          std::ranges::all_of(text, [](char c) { return kHexDigits.contains(c); }));
}

}  // namespace

std::string packed(const Header& header) {
  Packer pack;
  for (const std::string* text :
       {&header.version, &header.kernel, &header.machine, &header.boot, &header.configuration})
    pack(std::string_view(*text));
  pack(header.run)(header.began);
  return std::move(pack.bytes());
}

Result<Header> header_of(std::string_view frame) {
  Header header;
  Unpacker unpack(frame);
  for (std::string* text :
       {&header.version, &header.kernel, &header.machine, &header.boot, &header.configuration}) {
    std::string_view view;
    unpack(view);
    *text = view;
  }
  unpack(header.run)(header.began);
  const bool sound = unpack.done() && is_word(header.version) && is_word(header.kernel) &&
                     is_word(header.machine) && is_boot(header.boot) &&
                     header.configuration.size() <= config::kMaxFileBytes &&
                     header.began <= kLatest && header.began >= -kLatest;
  if (!sound) return fail(Fault::broken, "its header cannot be read");
  return header;
}

}  // namespace tapio::replay

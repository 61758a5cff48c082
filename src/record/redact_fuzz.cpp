// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "record/redact.hpp"

// The first byte chooses what is done: odd bytes take the rest as one text, even ones as arguments
// that NUL bytes end, with "--password=" and a secret of unusual bytes as the second of them.

namespace tapio {
namespace {

constexpr std::string_view kSecret = "\xf1\xf2\xf3\xf4\xf5";

void require(bool holds) {
  if (!holds) std::abort();
}

// Each part that is replaced is at least one byte long.
std::size_t longest(std::string_view in) {
  return in.size() + Redactor::kMaxHidden * Redactor::kMask.size();
}

void one_text(Redactor& redactor, std::string_view in) {
  Arena arena;
  const std::string_view out = redactor.redact_text(in, arena);
  require(out.size() <= longest(in));
  require(out.data() == in.data() || redactor.replaced() > 0);
}

// Without the bytes of the secret.
std::string ascii(std::string_view in) {
  std::string out(in);
  for (char& c : out) c = static_cast<char>(c & 0x7f);
  return out;
}

void arguments(Redactor& redactor, std::string_view in) {
  const std::string text = ascii(in);
  const std::string with_secret = std::string("--password=").append(kSecret);
  std::vector<std::string_view> args;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    args.push_back(std::string_view(text).substr(begin, end - begin));
    if (args.size() == 1) args.push_back(with_secret);
    begin = end + 1;
  }
  Arena arena;
  std::span<const std::string_view> out;
  require(redactor.redact_args(args, arena, out) && out.size() == args.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    require(out[i].size() <= longest(args[i]));
    require(out[i].find_first_of(kSecret) == std::string_view::npos);
  }
}

}  // namespace
}  // namespace tapio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  tapio::Redactor redactor;
  if (data[0] % 2 == 1)
    tapio::one_text(redactor, text);
  else
    tapio::arguments(redactor, text);
  return 0;
}

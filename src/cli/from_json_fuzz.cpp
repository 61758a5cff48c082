// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cli/commands.hpp"
#include "cli/from_json.hpp"
#include "cli/record_words.hpp"
#include "record/gap.hpp"
#include "record/json.hpp"

namespace {

using tapio::Field;
using tapio::Kind;
using tapio::Type;

constexpr tapio::SchemaOf kAll{"all",
                               Kind::event,
                               "",
                               Field{"boolean", Type::boolean, ""},
                               Field{"i64", Type::i64, ""},
                               Field{"u64", Type::u64, ""},
                               Field{"f64", Type::f64, ""},
                               Field{"duration", Type::duration, ""},
                               Field{"moment", Type::time, ""},
                               Field{"text", Type::text, ""},
                               Field{"texts", Type::texts, ""}};
constexpr std::array<const tapio::Schema*, 3> kSchemas = {&kAll, &tapio::kGap,
                                                          &tapio::kStorySchema};

// What is shown of a stranger's JSON does not steer a terminal.
void check_text(std::string_view shown) {
  for (const char c : shown)
    if (c != '\n' && std::iscntrl(static_cast<unsigned char>(c))) std::abort();
}

}  // namespace

// What was understood must be written as JSON that is understood again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(data, data + size);
  if (const auto json = tapio::serve::parse_json(line)) {
    (void)tapio::cli::story_from_json(*json);
    check_text(tapio::cli::status_text(*json));
    check_text(tapio::cli::record_line(*json));
  }
  const auto batch = tapio::cli::record_from_json(line, kSchemas);
  if (!batch) return 0;
  std::string written;
  tapio::append_json(written, (*batch)->records.front(), {});
  const auto again = tapio::cli::record_from_json(written, kSchemas);
  if (!again) std::abort();
  std::string twice;
  tapio::append_json(twice, (*again)->records.front(), {});
  if (twice != written) std::abort();
  return 0;
}

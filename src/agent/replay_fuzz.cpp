// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "agent/configuration.hpp"
#include "agent/replay.hpp"
#include "record/json.hpp"

// A recording that a stranger wrote. The first byte says whether the rest is a whole file, or the
// messages of a sound one, which a fuzzer could not compress by chance. Whatever is in it, it is
// refused, or every observer, the World and the stories take it, and records come out as JSON.
namespace {

using namespace tapio;

std::string u32(std::size_t value) {
  std::string out;
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

std::string frame(std::string_view content) {
  std::string packed(::ZSTD_compressBound(content.size()), '\0');
  packed.resize(::ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 1));
  return u32(packed.size()) + u32(content.size()) + packed;
}

std::string file_of(std::string_view messages) {
  static const std::string kHeader = frame(packed(replay::Header{.version = "1", .run = 1}));
  return "tapiorec" + u32(replay::kFormat) + u32(0) + kHeader + frame(messages);
}

Result<std::unique_ptr<replay::Player>> open(std::string_view& file) {
  return replay::Player::open(
      TRY(replay::FrameReader::open([&file](std::span<char> room) -> Result<std::size_t> {
        const auto size = std::min(room.size(), file.size());
        std::copy_n(file.begin(), size, room.begin());
        file.remove_prefix(size);
        return size;
      })));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  log::configure(log::Level::error, log::Format::text);
  const std::string given(data + 1, data + size);
  const std::string file = data[0] == 'f' ? given : file_of(given);
  std::string_view rest = file;
  auto player = open(rest);
  if (!player) return 0;
  std::string json;
  auto replay = agent::Replay::open(std::move(*player), agent::configuration(),
                                    [&json](const std::shared_ptr<const Batch>& batch) {
                                      for (const Record& record : batch->records) {
                                        json.clear();
                                        append_json(json, record, batch->clocks);
                                        if (!json.ends_with('}')) std::abort();
                                      }
                                    });
  if (!replay) return 0;
  const auto done = (*replay)->run([] { return false; });
  if (done.has_value() != (*replay)->player().end().has_value()) std::abort();
  return 0;
}

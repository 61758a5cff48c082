// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "store_mark.hpp"
#include "temporary.hpp"

// The small file beside the database, with any bytes in it. It says what was written or nothing,
// and is in order once this run has written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tapio::store::Mark;
  static const tapio::Temporary directory;
  const std::string path = directory.file("mark");
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(std::string(data, data + size).data(), static_cast<std::streamsize>(size));

  Mark mark;
  const auto before = mark.open(path);
  if (before && size < 3 * sizeof(std::uint64_t)) std::abort();
  if (before && std::memcmp(&before->records, data + 16, sizeof before->records) != 0) std::abort();
  if (mark.open(path)) std::abort();
  mark.add(7, 3);
  const auto after = Mark().open(path);
  if (!after || after->run != 7 || after->records != 3) std::abort();
  return 0;
}

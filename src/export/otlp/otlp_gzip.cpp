// SPDX-License-Identifier: Apache-2.0
#include "otlp_gzip.hpp"

#include <zlib.h>

namespace tapio::otlp {

namespace {

constexpr int kWindowBits = 15, kGzip = 16;  // zlib.h: add 16 for a gzip header and trailer
constexpr int kMemoryLevel = 8;

}  // namespace

Result<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kWindowBits + kGzip, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(Fault::exhausted, "zlib has no memory");
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int code = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return fail(Fault::broken, "zlib did not pack the request");
  return packed;
}

}  // namespace tapio::otlp

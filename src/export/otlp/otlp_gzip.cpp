// SPDX-License-Identifier: Apache-2.0
#include "otlp_gzip.hpp"

#define ZLIB_CONST  // it does not write to what it reads
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
  stream.next_in = static_cast<const Bytef*>(static_cast<const void*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = static_cast<Bytef*>(static_cast<void*>(packed.data()));
  stream.avail_out = static_cast<uInt>(packed.size());
  const int code = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return fail(Fault::broken, "zlib did not pack the request");
  return packed;
}

}  // namespace tapio::otlp

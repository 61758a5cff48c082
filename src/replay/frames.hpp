// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zstd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

// The file of a recording: a head, then frames. A frame is compressed by itself and has a checksum,
// so that a file that was cut is read up to the last whole one. Numbers are little-endian.
//
//   head   "tapiorec", u32 kFormat, u32 0
//   frame  u32 compressed bytes, u32 bytes, a Zstandard frame (RFC 8878)
namespace tapio::replay {

// Of frames and messages together. What reads one number reads no other.
inline constexpr std::uint32_t kFormat = 1;
inline constexpr std::size_t kHeadBytes = 16, kFrameHeadBytes = 8;
inline constexpr std::size_t kMaxFrame = 4 << 20;  // bytes, before compression
// Of a whole file, before compression: a small file may claim to hold very much.
inline constexpr std::uint64_t kMaxContent = std::uint64_t{64} << 30;

enum class Existing : std::uint8_t { refuse, replace };

class FrameWriter {
 public:
  // A new file that nobody else can read. What is there already, and a symbolic link, is not
  // written to; `replace` removes a regular file first.
  static Result<FrameWriter> create(const std::string& path, Existing existing);

  Status write(std::string_view frame);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }      // of the file
  [[nodiscard]] std::uint64_t content() const { return content_; }  // before compression

 private:
  FrameWriter(Fd file, std::string path);
  Status put(std::string_view bytes);

  Fd file_;
  std::string path_;
  std::unique_ptr<ZSTD_CCtx, Freed<ZSTD_freeCCtx>> context_;
  std::string packed_;
  std::uint64_t bytes_ = 0, content_ = 0;
};

class FrameReader {
 public:
  // Fills the span as far as it can; 0: there is no more.
  using Source = std::function<Result<std::size_t>(std::span<char>)>;

  // Checks the head. Faults: `invalid`: no recording, or of another format; else as the file gives.
  static Result<FrameReader> open(const std::string& path);
  static Result<FrameReader> open(Source source);

  // Nothing at the end of the file. The frame lives until the next call. Faults: `unavailable`: it
  // is cut off; `broken`: it is damaged.
  Result<std::optional<std::string_view>> next();
  [[nodiscard]] std::uint64_t position() const { return position_; }  // bytes of whole frames

 private:
  explicit FrameReader(Source source);
  Result<std::size_t> fill(std::span<char> room);

  Source source_;
  std::unique_ptr<ZSTD_DCtx, Freed<ZSTD_freeDCtx>> context_;
  std::string packed_, frame_;
  std::uint64_t position_ = 0, content_ = 0;
};

}  // namespace tapio::replay

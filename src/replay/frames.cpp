// SPDX-License-Identifier: Apache-2.0
#include "replay/frames.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace tapio::replay {

namespace {

constexpr std::string_view kMagic = "tapiorec";
constexpr mode_t kOwnerOnly = 0600;
constexpr int kLevel = 3;

void append_u32(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

// Only a regular file: a mistyped name must not remove something else.
Status remove_old(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info)) {
    if (errno == ENOENT) return {};
    return from_errno(errno, path);
  }
  if (!S_ISREG(info.st_mode))
    return invalid(fmt::format("{} is no regular file and is not replaced", path));
  if (::unlink(path.c_str())) return from_errno(errno, "remove " + path);
  return {};
}

}  // namespace

FrameWriter::FrameWriter(Fd file, std::string path)
    : file_(std::move(file)), path_(std::move(path)), context_(::ZSTD_createCCtx()) {
  ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
  ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

Result<FrameWriter> FrameWriter::create(const std::string& path, Existing existing) {
  if (existing == Existing::replace) TRY(remove_old(path));
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly));
  if (!file && errno == EEXIST)
    return invalid(fmt::format("{} is there already; --force replaces it", path));
  if (!file) return from_errno(errno, "create " + path);
  FrameWriter writer(std::move(file), path);
  if (!writer.context_) return fail(Fault::exhausted, "no memory to compress in");
  std::string head(kMagic);
  append_u32(head, kFormat);
  append_u32(head, 0);
  TRY(writer.put(head));
  return writer;
}

Status FrameWriter::write(std::string_view frame) {
  packed_.resize(kFrameHeadBytes + ::ZSTD_compressBound(frame.size()));
  const auto size = ::ZSTD_compress2(context_.get(), packed_.data() + kFrameHeadBytes,
                                     packed_.size() - kFrameHeadBytes, frame.data(), frame.size());
  if (::ZSTD_isError(size))
    return fail(Fault::broken, fmt::format("compress: {}", ::ZSTD_getErrorName(size)));
  packed_.resize(kFrameHeadBytes + size);
  std::string head;
  append_u32(head, size);
  append_u32(head, frame.size());
  packed_.replace(0, kFrameHeadBytes, head);
  content_ += frame.size();
  return put(packed_);
}

Status FrameWriter::put(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return from_errno(errno, "write " + path_);
    bytes_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

FrameReader::FrameReader(Source source)
    : source_(std::move(source)), context_(::ZSTD_createDCtx()) {}

Result<FrameReader> FrameReader::open(const std::string& path) {
  auto file = std::make_shared<Fd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!*file && errno == ENOENT) return invalid("there is no such file");
  if (!*file) return from_errno(errno, "open");
  struct stat info{};
  if (::fstat(file->get(), &info) || !S_ISREG(info.st_mode))
    return invalid("it is no regular file");
  return open([file](std::span<char> room) -> Result<std::size_t> {
    for (;;) {
      const auto got = ::read(file->get(), room.data(), room.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return from_errno(errno, "read");
    }
  });
}

Result<FrameReader> FrameReader::open(Source source) {
  FrameReader reader(std::move(source));
  if (!reader.context_) return fail(Fault::exhausted, "no memory to decompress in");
  std::string head(kHeadBytes, '\0');
  const auto got = TRY(reader.fill(head));
  if (got < kHeadBytes || !head.starts_with(kMagic)) return invalid("it is no recording of tapio");
  if (const auto format = u32_at(head, kMagic.size()); format != kFormat)
    return invalid(
        fmt::format("it has format {}, and this tapio reads format {}: use the tapio "
                    "that recorded it, whose version is near its start",
                    format, kFormat));
  reader.position_ = kHeadBytes;
  return reader;
}

Result<std::size_t> FrameReader::fill(std::span<char> room) {
  std::size_t filled = 0;
  while (filled < room.size()) {
    const auto got = TRY(source_(room.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

Result<std::optional<std::string_view>> FrameReader::next() {
  const auto damaged = [this](std::string_view how) {
    return fail(Fault::broken, fmt::format("it is damaged behind byte {}: {}", position_, how));
  };
  const auto cut = [this] {
    return fail(Fault::unavailable, fmt::format("it is cut off behind byte {}", position_));
  };
  std::string head(kFrameHeadBytes, '\0');
  const auto got = TRY(fill(head));
  if (got == 0) return std::nullopt;
  if (got < kFrameHeadBytes) return cut();
  const std::size_t packed = u32_at(head, 0), size = u32_at(head, 4);
  if (size > kMaxFrame || packed > ::ZSTD_compressBound(kMaxFrame))
    return damaged(fmt::format("a frame of {} bytes", std::max(size, packed)));
  content_ += size;
  if (content_ > kMaxContent) return damaged("it holds more than any recording");
  packed_.resize(packed);
  if (TRY(fill(packed_)) < packed) return cut();
  frame_.resize(size);
  const auto done = ::ZSTD_decompressDCtx(context_.get(), frame_.data(), frame_.size(),
                                          packed_.data(), packed_.size());
  if (::ZSTD_isError(done)) return damaged(::ZSTD_getErrorName(done));
  if (done != size) return damaged("a frame is shorter than it says");
  position_ += kFrameHeadBytes + packed;
  return std::string_view(frame_);
}

}  // namespace tapio::replay

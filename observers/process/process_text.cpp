// SPDX-License-Identifier: Apache-2.0
#include "process_text.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>

namespace tapio::process {

namespace {

// An event with other text: its fixed part, which `T` is, and the pieces one after another.
template <typename T>
class Rewritten {
 public:
  explicit Rewritten(const T& event) : event_(event) {}

  void put(tapio_text T::* where, std::string_view text, std::uint64_t original) {
    tapio_text& piece = event_.*where;
    piece.offset = static_cast<__u16>(sizeof(T) + tail_.size());
    piece.size = static_cast<__u16>(text.size());
    piece.original = static_cast<__u32>(original);
    tail_ += text;
  }
  // False: it does not fit into an event.
  bool write(std::vector<std::byte>& out) {
    if (sizeof(T) + tail_.size() > UINT16_MAX) return false;
    event_.header.size = static_cast<__u16>(sizeof(T) + tail_.size());
    const auto fixed = std::as_bytes(std::span(&event_, 1));
    const auto tail = std::as_bytes(std::span(tail_));
    out.assign(fixed.begin(), fixed.end());
    out.insert(out.end(), tail.begin(), tail.end());
    return true;
  }

 private:
  T event_;
  std::string tail_;
};

// Parts that NULs end, each by itself.
std::string without_secrets(std::string_view parts, Redactor& redactor, Arena& arena) {
  std::string clean;
  while (!parts.empty()) {
    const auto end = parts.find('\0');
    clean += redactor.redact_text(parts.substr(0, end), arena);
    if (end != parts.npos) clean += '\0';
    parts.remove_prefix(end == parts.npos ? parts.size() : end + 1);
  }
  return clean;
}

void put_args(Rewritten<tapio_process_exec>& out, std::string_view text, std::uint64_t original,
              Redactor& redactor, Arena& arena) {
  const auto args = split_args(text, original, arena);
  std::span<const std::string_view> clean;
  if (!redactor.redact_args(args.list, arena, clean) && args.list.size() < kMaxArgs)
    return out.put(&tapio_process_exec::args, text, original);
  std::string joined;
  for (const auto arg : clean) joined.append(arg).push_back('\0');
  if (args.cut && !joined.empty()) joined.pop_back();  // nobody knows where the last one ends
  out.put(&tapio_process_exec::args, joined,
          args.cut ? std::max<std::uint64_t>(original, joined.size() + 1) : joined.size());
}

Status conceal_exec(const wire::Sample& sample, Redactor& redactor, std::vector<std::byte>& out) {
  const auto e = TRY(wire::event<tapio_process_exec>(sample, TAPIO_PROCESS_EXEC_VERSION));
  Arena arena;
  Rewritten<tapio_process_exec> rewritten(e);
  rewritten.put(&tapio_process_exec::filename,
                redactor.redact_text(TRY(piece(sample, e.filename)), arena), e.filename.original);
  // Records show it as it is: it says who acts.
  rewritten.put(&tapio_process_exec::executable, TRY(piece(sample, e.executable)),
                e.executable.original);
  rewritten.put(&tapio_process_exec::cwd,
                without_secrets(TRY(piece(sample, e.cwd)), redactor, arena), e.cwd.original);
  put_args(rewritten, TRY(piece(sample, e.args)), e.args.original, redactor, arena);
  return rewritten.write(out) ? Status{} : invalid("too long");
}

Status conceal_exec_failed(const wire::Sample& sample, Redactor& redactor,
                           std::vector<std::byte>& out) {
  const auto e =
      TRY(wire::event<tapio_process_exec_failed>(sample, TAPIO_PROCESS_EXEC_FAILED_VERSION));
  Arena arena;
  Rewritten<tapio_process_exec_failed> rewritten(e);
  rewritten.put(&tapio_process_exec_failed::filename,
                redactor.redact_text(TRY(piece(sample, e.filename)), arena), e.filename.original);
  return rewritten.write(out) ? Status{} : invalid("too long");
}

}  // namespace

Result<std::string_view> piece(const wire::Sample& sample, const tapio_text& text) {
  const Bytes bytes = TRY(wire::slice(sample, text.offset, text.size));
  return wire::chars(bytes);
}

std::string_view join_path(std::string_view leaf_first, bool complete, Arena& arena) {
  if (leaf_first.empty()) return complete ? "/" : "";
  const std::string_view head = complete ? "" : "…";
  const std::size_t last = leaf_first.ends_with('\0') ? 0 : 1;
  const auto path = arena.room(head.size() + leaf_first.size() + last);
  head.copy(path.data(), head.size());
  for (auto begin = path.end(); !leaf_first.empty();) {
    const auto end = leaf_first.find('\0');
    const auto part = leaf_first.substr(0, end);
    begin -= std::ssize(part);
    part.copy(std::to_address(begin), part.size());
    *--begin = '/';
    leaf_first.remove_prefix(end == leaf_first.npos ? leaf_first.size() : end + 1);
  }
  return {path.data(), path.size()};
}

Args split_args(std::string_view text, std::uint64_t original, Arena& arena) {
  const bool cut = original > text.size();
  if (!cut && text.ends_with('\0')) text.remove_suffix(1);
  const auto ends = static_cast<std::size_t>(std::ranges::count(text, '\0'));
  const auto count = std::min(text.empty() ? 0 : ends + 1, kMaxArgs);
  const auto list = arena.list(count);
  for (auto& arg : list) {
    const auto end = text.find('\0');
    arg = arena.keep(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return {list, cut || !text.empty()};
}

bool conceal(const wire::Sample& sample, Redactor& redactor, std::vector<std::byte>& clean) {
  if (sample.header.kind == TAPIO_PROCESS_EXEC)
    return conceal_exec(sample, redactor, clean).has_value();
  if (sample.header.kind == TAPIO_PROCESS_EXEC_FAILED)
    return conceal_exec_failed(sample, redactor, clean).has_value();
  clean.assign(sample.bytes.begin(), sample.bytes.end());  // no text but names of processes
  return true;
}

}  // namespace tapio::process

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/outside.hpp"
#include "base/result.hpp"
#include "bpf/abi.h"
#include "capture/channel.hpp"
#include "capture/ledger.hpp"
#include "capture/limiter.hpp"
#include "capture/plan.hpp"

namespace tapio::capture {

// What the objects of one agent have in common.
struct Common {
  Kernel kernel;
  tapio_settings settings{};        // but for `rings` and `ring_shift`, which Programs sets
  int critical_fd = -1;             // the map of the channel they share
  std::size_t critical_bytes = 0;   // and its size
  std::uint32_t cpus_per_ring = 0;  // see group_cpus()
  Outside* outside = &live_outside();
};

// What may be wished of one object, out of the observer's configuration.
struct Wishes {
  std::size_t ring_bytes = 256 << 10;  // a power of two of pages, at most kMaxRingBytes
  std::array<std::uint32_t, TAPIO_CLASSES> rate_per_second{};  // 0: no limit; normal and bulk only
  std::array<std::uint32_t, TAPIO_CLASSES> keep_one_in{};      // 0 and 1: all
  std::set<std::string> granted = {};  // settings that are on, see Candidate::setting
  std::map<std::string, std::uint32_t> entries = {};  // of maps, where not as many as declared
};

// What the agent spares, whatever was wished.
struct Restraint {
  static constexpr std::uint32_t kCountedOnly = ~0u;       // as one in so many: none comes out
  std::array<std::uint32_t, TAPIO_CLASSES> keep_one_in{};  // at least; normal and bulk only
  std::set<std::uint32_t> off = {};                        // hooks
};
inline constexpr std::size_t kMinRingBytes = 4 << 10;
inline constexpr std::size_t kMaxRingBytes = 64 << 20;

// One observer's kernel side: its channel, object, chosen programs and links, and its books.
// Destruction detaches first.
class Programs {
 public:
  Programs(Common common, Channel::OnBytes on_bytes)
      : common_(std::move(common)), on_bytes_(std::move(on_bytes)) {}

  // `unsupported`: this kernel cannot serve a required hook. An observer that has another source
  // may go on without programs then. `configure` sets the observer's own .rodata; choices() tells
  // it the plan. It must be repeatable: an object cannot be loaded twice, so after a refusal by the
  // verifier a new one is opened for the next plan.
  template <typename Skeleton>
  Status load(std::span<const Hook> hooks, const Wishes& wishes,
              const std::function<void(Skeleton&)>& configure) {
    return load(hooks, wishes, [&]() -> Result<Opened> {
      const auto& btf = common_.kernel.btf;
      LIBBPF_OPTS(bpf_object_open_opts, options,
                  .btf_custom_path = btf.from == Btf::From::kernel ? nullptr : btf.path.c_str());
      auto* skeleton = Skeleton::open(&options);
      if (!skeleton) return from_errno(errno, "open BPF object");
      std::size_t bytes = 0;
      const void* const file = Skeleton::elf_bytes(&bytes);
      release_pages(file, bytes);
      Opened opened{skeleton->obj,
                    {skeleton, [](void* s) { Skeleton::destroy(static_cast<Skeleton*>(s)); }}};
      skeleton->rodata->tapio = common_.settings;
      configure(*skeleton);
      return opened;
    });
  }

  // Nothing is reported any more; the channel can still be drained and the books read.
  void detach() {
    links_.clear();
    detached_ = true;
  }
  // Other rates and samples, beside running programs; the rest of `wishes` is left as it is.
  Status change(const Wishes& wishes);
  // Samples more than was wished, and detaches programs all of whose hooks are to be off; what is
  // not asked for any more comes back. What did not come back is tried again by the next call.
  // Nothing after detach().
  Status restrain(const Restraint& restraint);
  // The canary's events are marked and held back from consumers; 0: none is under way.
  Status set_canary(std::uint32_t tgid);
  void refill(MonotonicTime now);  // the limiters; at least once a second

  // Critical events that the kernel counted instead of sending, since the last call. Once a second.
  struct Aggregated {
    std::uint64_t cgroup_id, detail, count;
  };
  std::vector<Aggregated> take_surplus();

  [[nodiscard]] bool loaded() const { return ledger_ != nullptr; }
  // What load() failed for; "": it did not, or was not called.
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] const Kernel& kernel() const { return common_.kernel; }
  [[nodiscard]] std::span<const Choice> choices() const { return choices_; }
  [[nodiscard]] Channel& channel() { return *channel_; }
  [[nodiscard]] Ledger& ledger() { return *ledger_; }
  [[nodiscard]] std::uint64_t map_bytes() const { return map_bytes_; }
  [[nodiscard]] std::size_t ring_bytes() const { return channel_ ? channel_->bytes() : 0; }
  // Runs of a hook's program that the kernel itself refused, because one was under way on that CPU;
  // 0 below 5.12, which does not tell.
  [[nodiscard]] std::uint64_t missed(std::uint32_t hook) const;
  // The program that serves a hook, or nullptr. It lives until the next load.
  [[nodiscard]] const bpf_program* program_of(std::uint32_t hook) const;
  // Whether restrain() has its program off.
  [[nodiscard]] bool is_off(std::uint32_t hook) const;
  // A map of the object that is loaded, or nullptr. It lives until the next load.
  [[nodiscard]] const bpf_map* map(const char* name) const;

 private:
  struct Opened {
    bpf_object* object = nullptr;  // inside owner
    std::unique_ptr<void, void (*)(void*)> owner{nullptr, [](void*) {}};
  };
  using Open = std::function<Result<Opened>()>;

  // Of an object file inside the program, which libbpf has copied: they need not stay resident. Who
  // reads them once more gets them from the program's file.
  static void release_pages(const void* file, std::size_t bytes);
  // In a replay nothing is loaded; the answer is what came of it then.
  Status load(std::span<const Hook> hooks, const Wishes& wishes, const Open& open) {
    return common_.outside->attempt("load programs",
                                    [&] { return load_in_rounds(hooks, wishes, open); });
  }
  Status load_in_rounds(std::span<const Hook> hooks, const Wishes& wishes, const Open& open);
  Status load_best(std::span<const Hook> hooks, const Open& open);
  Status attempt(std::span<const Choice> choices, const Open& open);
  Status find_culprits(const Open& open);
  Status open_channel();
  Status use_channels();
  Status open_books();
  Status wish();
  Status attach(bpf_program* program);
  Status write_control();
  [[nodiscard]] bpf_program* program(const char* name) const;
  [[nodiscard]] int map_fd(const char* name) const;

  Common common_;
  Channel::OnBytes on_bytes_;
  Wishes wishes_;
  Restraint restraint_;
  bool detached_ = false;
  tapio_control control_{};
  std::unique_ptr<Channel> channel_;
  std::vector<Choice> choices_;
  std::string why_not_;
  Opened opened_;
  std::unique_ptr<Ledger> ledger_;
  std::vector<Limiter> limiters_;
  struct Seen {
    std::uint64_t count = 0;
    std::uint32_t still_for = 0;  // takes
  };
  std::map<std::pair<std::uint64_t, std::uint64_t>, Seen> surplus_seen_;  // bounded by the map
  std::uint64_t map_bytes_ = 0;
  using Link = std::unique_ptr<bpf_link, Freed<bpf_link__destroy>>;
  std::map<bpf_program*, Link> links_;  // last: dies first
};

}  // namespace tapio::capture

// SPDX-License-Identifier: Apache-2.0
#include "capture/programs.hpp"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <memory>
#include <utility>

namespace tapio::capture {

namespace {

constexpr int kRounds = 4;
constexpr std::size_t kLogBytes = 64 * 1024, kLastWords = 600;
constexpr std::size_t kMaxSurplus = 1024;  // entries of the map `surplus`
constexpr std::uint32_t kStillTakes = 60;
constexpr const char* kNoBtf =
    "its programs need type information of this kernel (BTF), and there is none: set btf.path";

Error refusal(int err, std::string_view log) {
  const auto last_words = log.substr(log.size() - std::min(log.size(), kLastWords));
  return from_errno(err, std::string("load: ").append(last_words)).error();
}

// What the kernel allots: values of per-CPU maps once per CPU, in steps of 8 bytes.
std::uint64_t bytes_of(const bpf_map* map) {
  const auto type = bpf_map__type(map);
  if (type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ||
      !bpf_map__autocreate(map))
    return 0;  // channels, and what there is not
  const bool per_cpu = type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH;
  const std::uint64_t value = (bpf_map__value_size(map) + 7) / 8 * 8;
  const auto copies = per_cpu ? static_cast<std::uint64_t>(libbpf_num_possible_cpus()) : 1;
  return bpf_map__max_entries(map) * (bpf_map__key_size(map) + value * copies);
}

}  // namespace

bpf_program* Programs::program(const char* name) const {
  return bpf_object__find_program_by_name(opened_.object, name);
}

int Programs::map_fd(const char* name) const {
  return bpf_object__find_map_fd_by_name(opened_.object, name);
}

void Programs::release_pages(const void* file, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): as madvise() has it
  void* whole = const_cast<void*>(file);
  if (std::align(page, page, whole, bytes)) ::madvise(whole, bytes / page * page, MADV_DONTNEED);
}

Status Programs::load_in_rounds(std::span<const Hook> hooks, const Wishes& wishes,
                                const Open& open) {
  wishes_ = wishes;
  common_.kernel.granted = wishes.granted;
  auto done = load_best(hooks, open);
  if (!done) why_not_ = done.error().what;
  return done;
}

Status Programs::load_best(std::span<const Hook> hooks, const Open& open) {
  if (wishes_.ring_bytes < kMinRingBytes || wishes_.ring_bytes > kMaxRingBytes ||
      !std::has_single_bit(wishes_.ring_bytes))
    return invalid("a ring takes a power of two between 4KiB and 64MiB");
  choices_ = choose(hooks, common_.kernel);
  if (!covers(common_.kernel.features, Feature::btf)) return fail(Fault::unsupported, kNoBtf);
  TRY(open_channel());
  for (int round = 1;; ++round) {
    choices_ = choose(hooks, common_.kernel);
    if (const auto* hook = impossible(choices_))
      return fail(Fault::unsupported, std::string(hook->hook->name) + ": " + hook->reason);
    auto loaded = attempt(choices_, open);
    if (loaded) return open_books();
    const auto refused_before = common_.kernel.refused.size();
    TRY(find_culprits(open));
    if (common_.kernel.refused.size() == refused_before || round == kRounds) return loaded;
  }
}

Status Programs::open_channel() {
  const auto kind = common_.settings.perf ? Channel::Kind::perf : Channel::Kind::ring;
  const auto groups =
      group_cpus(static_cast<std::uint32_t>(libbpf_num_possible_cpus()), common_.cpus_per_ring,
                 wishes_.ring_bytes / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  channel_ = TRY(Channel::open("events", kind, Channel::Wake::when_half_full, wishes_.ring_bytes,
                               on_bytes_, groups));
  common_.settings.rings = groups.rings;
  common_.settings.ring_shift = groups.shift;
  return {};
}

// A failed load does not say whose fault it was: each program is tried by itself.
Status Programs::find_culprits(const Open& open) {
  const auto tried = choices_;
  for (const Choice& choice : tried) {
    if (!choice.program) continue;
    auto alone = attempt({&choice, 1}, open);
    if (alone) continue;
    if (alone.error().fault == Fault::denied && !covers(common_.kernel.features, Feature::raw_tp))
      return alone;  // nothing may be loaded at all
    common_.kernel.refused.emplace(choice.program, alone.error().what);
  }
  return {};
}

Status Programs::attempt(std::span<const Choice> choices, const Open& open) {
  links_.clear();
  opened_ = TRY(open());
  bpf_program* each;
  bpf_object__for_each_program(each, opened_.object) bpf_program__set_autoload(each, false);

  std::string log(kLogBytes, '\0');  // of the program that fails: loading ends there
  std::vector<bpf_program*> chosen;
  for (const Choice& choice : choices) {
    if (!choice.program) continue;
    bpf_program* const found = program(choice.program);
    if (!found) return fail(Fault::broken, std::string("no program ") + choice.program);
    if (std::ranges::find(chosen, found) != chosen.end()) continue;  // serves another hook too
    chosen.push_back(found);
    bpf_program__set_autoload(found, true);
    bpf_program__set_log_buf(found, log.data(), log.size());
  }
  for (const auto& [name, entries] : wishes_.entries)
    if (int err = bpf_map__set_max_entries(
            bpf_object__find_map_by_name(opened_.object, name.c_str()), entries))
      return from_errno(-err, "size of map " + name);
  TRY(use_channels());
  if (int err = bpf_object__load(opened_.object))
    return std::unexpected(refusal(-err, log.c_str()));
  TRY(wish());
  for (bpf_program* p : chosen) {
    TRY(attach(p));
    bpf_program__set_log_buf(p, nullptr, 0);
  }
  return {};
}

// Where there is no map of rings, the verifier never comes to the code that names it.
Status Programs::use_channels() {
  const auto use = [&](const char* name, int fd) {
    bpf_map* const map = bpf_object__find_map_by_name(opened_.object, name);
    return fd < 0 ? bpf_map__set_autocreate(map, false) : bpf_map__reuse_fd(map, fd);
  };
  if (int err = use("events", channel_->map_fd()) ?: use("critical", common_.critical_fd)
                    ?: use("rings", channel_->rings_fd()))
    return from_errno(-err, "reuse maps");
  return {};
}

Status Programs::attach(bpf_program* program) {
  Link link(bpf_program__attach(program));
  if (!link) return from_errno(errno, std::string("attach ") + bpf_program__name(program));
  links_[program] = std::move(link);
  return {};
}

// Before anything is attached: no event may find an empty limiter.
Status Programs::wish() {
  limiters_.clear();
  control_.limited = 0;
  for (const auto limited : {TAPIO_NORMAL, TAPIO_BULK}) {
    control_.keep_one_in[limited] =
        std::max(wishes_.keep_one_in[limited], restraint_.keep_one_in[limited]);
    if (!wishes_.rate_per_second[limited]) continue;
    control_.limited |= 1u << limited;
    limiters_.emplace_back(map_fd("limiter"), limited, wishes_.rate_per_second[limited]);
  }
  refill(monotonic_now());
  return write_control();
}

// The slots of a limiter are filled anew before `control` says that they count.
Status Programs::change(const Wishes& wishes) {
  wishes_.rate_per_second = wishes.rate_per_second;
  wishes_.keep_one_in = wishes.keep_one_in;
  return wish();
}

Status Programs::restrain(const Restraint& restraint) {
  if (detached_) return {};
  if (const auto before = std::exchange(restraint_, restraint).keep_one_in;
      before != restraint.keep_one_in) {
    if (auto done = wish(); !done) {
      restraint_.keep_one_in = before;
      return done;
    }
  }
  std::set<bpf_program*> on, all;
  for (std::uint32_t hook = 0; hook < choices_.size(); ++hook) {
    if (!choices_[hook].program) continue;
    bpf_program* const serving = program(choices_[hook].program);
    all.insert(serving);
    if (!restraint.off.contains(hook)) on.insert(serving);
  }
  for (bpf_program* each : all) {
    if (!on.contains(each))
      links_.erase(each);
    else if (!links_.contains(each))
      TRY(attach(each));
  }
  return {};
}

Status Programs::open_books() {
  ledger_ = std::make_unique<Ledger>(map_fd("ledger"), ring_bytes() + common_.critical_bytes);
  map_bytes_ = 0;
  const bpf_map* each;
  bpf_object__for_each_map(each, opened_.object) map_bytes_ += bytes_of(each);
  return {};
}

Status Programs::set_canary(std::uint32_t tgid) {
  control_.canary_tgid = tgid;
  return write_control();
}

Status Programs::write_control() {
  const std::uint32_t only = 0;
  if (bpf_map_update_elem(map_fd("control"), &only, &control_, BPF_ANY))
    return from_errno(errno, "write control");
  return {};
}

void Programs::refill(MonotonicTime now) {
  for (Limiter& limiter : limiters_) limiter.refill(now);
}

// An entry that has been still for a while makes room. A count that rises in the moment between the
// look and the deletion stays in the ledger as `aggregated`; only whose it was is not known.
std::vector<Programs::Aggregated> Programs::take_surplus() {
  std::vector<Aggregated> fresh;
  std::vector<tapio_surplus> still;
  const int map = map_fd("surplus");
  tapio_surplus key{};
  const void* previous = nullptr;
  for (std::size_t i = 0; i < kMaxSurplus && !bpf_map_get_next_key(map, previous, &key); ++i) {
    previous = &key;
    std::uint64_t count = 0;
    if (bpf_map_lookup_elem(map, &key, &count)) continue;
    auto& seen = surplus_seen_[{key.cgroup_id, key.detail}];
    if (count > seen.count) fresh.push_back({key.cgroup_id, key.detail, count - seen.count});
    seen.still_for = count > seen.count ? 0 : seen.still_for + 1;
    seen.count = count;
    if (seen.still_for > kStillTakes) still.push_back(key);
  }
  for (const auto& entry : still) {
    bpf_map_delete_elem(map, &entry);
    surplus_seen_.erase({entry.cgroup_id, entry.detail});
  }
  return fresh;
}

const bpf_program* Programs::program_of(std::uint32_t hook) const {
  const char* name = hook < choices_.size() ? choices_[hook].program : nullptr;
  return name ? program(name) : nullptr;
}

bool Programs::is_off(std::uint32_t hook) const {
  const bpf_program* serving = program_of(hook);
  return !detached_ && serving &&
         std::ranges::none_of(links_, [&](const auto& link) { return link.first == serving; });
}

const bpf_map* Programs::map(const char* name) const {
  return opened_.object ? bpf_object__find_map_by_name(opened_.object, name) : nullptr;
}

std::uint64_t Programs::missed(std::uint32_t hook) const {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  const bpf_program* serving = program_of(hook);
  if (!serving || bpf_obj_get_info_by_fd(bpf_program__fd(serving), &info, &size)) return 0;
  return info.recursion_misses;
}

}  // namespace tapio::capture

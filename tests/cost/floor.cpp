// SPDX-License-Identifier: Apache-2.0
// floor NAME[=BYTES[/ONE_IN]]...: attaches these programs of floor.bpf.c, says "ready", and takes
// out records every 10 ms until its input ends or SIGINT. Prints how many there were and how many
// had no room. The kernel detaches the programs when this one ends, however it ends.
#include <bpf/libbpf.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "floor.abi.h"
#include "floor.skel.h"

namespace {

volatile std::sig_atomic_t stopped = 0;

struct Closed {
  void operator()(floor_bpf* programs) const { floor_bpf__destroy(programs); }
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

struct Hook {
  const char* program;
  int index;
};

constexpr Hook kHooks[] = {
#define FLOOR_HOOK(tracepoint, name) {"floor_" #name, FLOOR_##name},
    FLOOR_EACH(FLOOR_HOOK)};

int fail(const std::string& what) {
  std::fprintf(stderr, "floor: %s\n", what.c_str());
  return 1;
}

// NAME[=BYTES[/ONE_IN]]; false: there is no such program.
bool ask_for(floor_bpf& programs, const std::string& word) {
  const auto equals = word.find('=');
  const std::string name = "floor_" + word.substr(0, equals);
  for (const auto& hook : kHooks) {
    if (name != hook.program) continue;
    bpf_program__set_autoload(bpf_object__find_program_by_name(programs.obj, hook.program), true);
    if (equals == std::string::npos) return true;
    char* rest = nullptr;
    programs.rodata->bytes[hook.index] = std::strtoul(word.c_str() + equals + 1, &rest, 10);
    programs.rodata->one_in[hook.index] = *rest == '/' ? std::strtoul(rest + 1, nullptr, 10) : 1;
    return true;
  }
  return false;
}

int count_record(void* count, void*, std::size_t) {
  ++*static_cast<unsigned long long*>(count);
  return 0;
}

bool input_ended() {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  char byte = 0;
  return ::poll(&input, 1, 10) > 0 && ::read(STDIN_FILENO, &byte, 1) <= 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { stopped = 1; });
  const std::unique_ptr<floor_bpf, Closed> programs(floor_bpf__open());
  if (!programs) return fail("cannot open the programs");
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, programs->obj) bpf_program__set_autoload(program, false);
  for (int i = 1; i < argc; ++i)
    if (!ask_for(*programs, argv[i])) return fail(std::string("no program for ") + argv[i]);
  if (floor_bpf__load(programs.get()) != 0) return fail(std::strerror(errno));
  if (floor_bpf__attach(programs.get()) != 0) return fail(std::strerror(errno));

  unsigned long long records = 0, refused = 0;
  const std::unique_ptr<ring_buffer, Closed> ring(
      ring_buffer__new(bpf_map__fd(programs->maps.records), count_record, &records, nullptr));
  if (!ring) return fail(std::strerror(errno));
  std::puts("ready");
  std::fflush(stdout);
  while (!stopped && !input_ended()) ring_buffer__consume(ring.get());
  ring_buffer__consume(ring.get());
  for (const auto count : programs->bss->refused) refused += count;
  std::printf("{\"records\": %llu, \"refused\": %llu}\n", records, refused);
  return 0;
}

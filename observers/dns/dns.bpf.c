// SPDX-License-Identifier: GPL-2.0-only
#define TAPIO_SLOT_BYTES 4096
#include "dns_udp.bpf.h"
#include "dns_tcp.bpf.h"
#include "dns_library.bpf.h"

# What opens the Initial packets of QUIC.
target_link_libraries(${target} PUBLIC nettle)

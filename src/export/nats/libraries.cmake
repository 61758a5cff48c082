# TLS, and what signs with the key of a credentials file. Others of the program's libraries have brought both.
target_link_libraries(${target} PUBLIC gnutls hogweed nettle)

// Wingmirror · Apache-2.0

// Debian's static libpcap can capture from D-Bus and so needs libdbus-1, whose archive asks systemd for inherited
// sockets. There is no static libsystemd, and this agent is never socket-activated: nothing was inherited.

int sd_listen_fds(int unset_environment) {
    (void)unset_environment;
    return 0;
}

int sd_is_socket(int descriptor, int family, int type, int listening) {
    (void)descriptor, (void)family, (void)type, (void)listening;
    return 0;
}

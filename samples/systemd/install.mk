# Wingmirror · Apache-2.0
#
#   make install PREFIX=/usr/local   one static, stripped executable with completions, man pages and a systemd unit; DESTDIR as usual
#   make dist                        the same as a tar archive, with samples, dashboards, licences and a bill of materials (SPDX)
#
# Part of the Makefile. A build takes some ten minutes on two cores and 700 MB; INSTALL_BINARY=FILE takes one that is there.

PREFIX ?= /usr/local
INSTALL_BINARY ?= $(IMAGE_BUILD)/release/wingmirror
INSTALL_SAMPLES := samples/systemd
DIST := $(IMAGE_BUILD)/dist
DIST_NAME := wingmirror-$(IMAGE_VERSION)-$(shell uname -m)

.PHONY: install install-folder uninstall dist

# A static link wants more of Debian's packages than `make run`. Made anew when a source is newer, so that no old program is
# installed, or packed, as a new one.
$(IMAGE_BUILD)/release/wingmirror: Package.swift $(shell find Sources -type f) $(wildcard $(IMAGE_SAMPLES)/*-stub*.c $(IMAGE_SAMPLES)/*.ld)
	$(MAKE) image-executable SYSTEM_PACKAGES="$(SYSTEM_PACKAGES) libdbus-1-dev binutils"

# Found out before a build of ten minutes rather than after it.
install-folder:
	@install -d "$(DESTDIR)$(PREFIX)/bin" 2>/dev/null && test -w "$(DESTDIR)$(PREFIX)/bin" || { \
		echo "make: $(DESTDIR)$(PREFIX) cannot be written to; use sudo, or PREFIX=\$$HOME/.local" >&2; exit 1; }

install: install-folder $(INSTALL_BINARY)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" \
		"$(DESTDIR)$(PREFIX)/share/zsh/site-functions" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d" \
		"$(DESTDIR)$(PREFIX)/lib/systemd/system" "$(DESTDIR)$(PREFIX)/share/doc/wingmirror" "$(DESTDIR)$(PREFIX)/share/man/man1"
	install -m 755 -s "$(INSTALL_BINARY)" "$(DESTDIR)$(PREFIX)/bin/wingmirror"
	"$(INSTALL_BINARY)" --generate-completion-script bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/wingmirror"
	"$(INSTALL_BINARY)" --generate-completion-script zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_wingmirror"
	"$(INSTALL_BINARY)" --generate-completion-script fish > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/wingmirror.fish"
	python3 $(INSTALL_SAMPLES)/man_pages.py "$(INSTALL_BINARY)" "$(DESTDIR)$(PREFIX)/share/man/man1" \
		--version "$(IMAGE_VERSION)" --date "$$(git log -1 --format=%cs 2>/dev/null)"
	sed 's|@PREFIX@|$(PREFIX)|' $(INSTALL_SAMPLES)/wingmirror.service > "$(DESTDIR)$(PREFIX)/lib/systemd/system/wingmirror.service"
	install -m 644 LICENSE README.md CHANGELOG.md "$(DESTDIR)$(PREFIX)/share/doc/wingmirror"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/wingmirror; to capture as yourself: sudo setcap cap_net_raw=ep $(PREFIX)/bin/wingmirror"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/wingmirror" "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/wingmirror" \
		"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_wingmirror" \
		"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/wingmirror.fish" \
		"$(DESTDIR)$(PREFIX)/lib/systemd/system/wingmirror.service" "$(DESTDIR)$(PREFIX)"/share/man/man1/wingmirror.1 \
		"$(DESTDIR)$(PREFIX)"/share/man/man1/wingmirror-*.1
	rm -rf "$(DESTDIR)$(PREFIX)/share/doc/wingmirror"

# The licences are those of the packages as they were resolved, each under the package's name.
dist: $(INSTALL_BINARY)
	rm -rf "$(DIST)/$(DIST_NAME)"
	$(MAKE) install DESTDIR="$(CURDIR)/$(DIST)/$(DIST_NAME)" PREFIX= INSTALL_BINARY="$(INSTALL_BINARY)"
	cp -RL samples dashboards "$(DIST)/$(DIST_NAME)/share/doc/wingmirror/"
	mkdir -p "$(DIST)/$(DIST_NAME)/share/doc/wingmirror/licences"
	for folder in .build/checkouts/* $(IMAGE_BUILD)/checkouts/*; do \
		for file in "$$folder"/LICENSE* "$$folder"/NOTICE*; do \
			[ -f "$$file" ] && cp "$$file" "$(DIST)/$(DIST_NAME)/share/doc/wingmirror/licences/$$(basename "$$folder").$$(basename "$$file")"; \
		done; \
	done; true
	python3 samples/kubernetes/sbom.py "$(DIST)/$(DIST_NAME)/bin/wingmirror" $(IMAGE_BUILD)/checkouts \
		> "$(DIST)/$(DIST_NAME)/share/doc/wingmirror/wingmirror.spdx.json"
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$$(git log -1 --format=%ct)" \
		-C "$(DIST)" -czf "$(DIST)/$(DIST_NAME).tar.gz" "$(DIST_NAME)"
	@echo "made $(DIST)/$(DIST_NAME).tar.gz"

# Wingmirror · Apache-2.0
#
#   make image        a container image from scratch with one static executable, without a docker engine
#
# Part of the Makefile. Only the file capability and buildah need root, by sudo where make is not run as root. All it makes
# lies in $(IMAGE_BUILD); $(IMAGE_BUILD)/oci is the image as an OCI layout, tag `dev`, which
# samples/kubernetes/run_with_runc.py runs.

IMAGE ?= localhost/wingmirror:dev
IMAGE_BUILD := .build-image
IMAGE_SAMPLES := samples/kubernetes
IMAGE_VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE_REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
IMAGE_SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BUILDAH := $(IMAGE_SUDO) buildah --storage-driver vfs

# What -static-executable leaves open, in the order the linker wants it: libdbus for libpcap's D-Bus source, with the two
# functions it wants of systemd, and RE2 before the C++ library that it calls. The linker is the toolchain's own: a script that
# leaves sections out and keeps the rest of the layout is not for Debian's gold.
IMAGE_LINK = -Xswiftc -static-executable -Xswiftc -use-ld=lld \
	-Xlinker --script=$(CURDIR)/$(IMAGE_SAMPLES)/no-unwind-tables.ld -Xlinker --no-eh-frame-hdr \
	-Xlinker -ldbus-1 -Xlinker $(CURDIR)/$(IMAGE_BUILD)/systemd-stubs.o \
	-Xlinker -lre2 -Xlinker -lstdc++

# What nothing in the executable calls is left out. The linker drops unused sections as it is, but Swift asks it to keep whatever
# is public, for clients that a static executable has not, and C functions share one section a file.
IMAGE_COMPILE = -Xswiftc -Xfrontend -Xswiftc -internalize-at-link -Xcc -ffunction-sections -Xcc -fdata-sections

.PHONY: image image-executable

# Debian's packages for what this needs beyond `make run`; `deps` installs them too when it is made for an image.
image: SYSTEM_PACKAGES += buildah libcap2-bin libdbus-1-dev binutils
image: image-executable
	mkdir -p $(IMAGE_BUILD)/context
	strip -o $(IMAGE_BUILD)/context/wingmirror $(IMAGE_BUILD)/release/wingmirror
	$(IMAGE_SUDO) setcap cap_net_raw=ep $(IMAGE_BUILD)/context/wingmirror
	$(BUILDAH) bud --isolation chroot -t $(IMAGE) \
		--build-arg VERSION=$(IMAGE_VERSION) --build-arg REVISION=$(IMAGE_REVISION) \
		-f $(IMAGE_SAMPLES)/Containerfile $(IMAGE_BUILD)/context
	$(IMAGE_SUDO) rm -rf $(IMAGE_BUILD)/oci
	$(BUILDAH) push --compression-level 9 $(IMAGE) oci:$(IMAGE_BUILD)/oci:dev
	python3 $(IMAGE_SAMPLES)/sbom.py $(IMAGE_BUILD)/context/wingmirror $(IMAGE_BUILD)/checkouts > $(IMAGE_BUILD)/wingmirror.spdx.json
	@echo "bill of materials: $(IMAGE_BUILD)/wingmirror.spdx.json"
	@echo "built $(IMAGE); as an OCI layout: $(IMAGE_BUILD)/oci"

image-executable: deps $(IMAGE_BUILD)/systemd-stubs.o
	swift build -c release --product wingmirror --scratch-path $(IMAGE_BUILD) $(IMAGE_COMPILE) $(IMAGE_LINK)

$(IMAGE_BUILD)/systemd-stubs.o: $(IMAGE_SAMPLES)/systemd-stubs.c
	mkdir -p $(IMAGE_BUILD)
	$(CC) -O2 -Wall -Wextra -Werror -c -o $@ $<

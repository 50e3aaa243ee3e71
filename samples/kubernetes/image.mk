# `make image`: a container image from scratch with one static executable, without a docker engine.
#
# Needs root for the file capability and for buildah. Everything it makes lies in $(IMAGE_BUILD):
#   $(IMAGE_BUILD)/context     what the Containerfile copies
#   $(IMAGE_BUILD)/oci         the image as an OCI layout, tag `dev` (what samples/kubernetes/run_with_runc.py runs)

IMAGE ?= localhost/wingmirror:dev
IMAGE_BUILD ?= .build-image
IMAGE_SAMPLES := samples/kubernetes
IMAGE_VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE_REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BUILDAH ?= buildah --storage-driver vfs

# Debian's packages for what this needs beyond `make run`.
IMAGE_PACKAGES := buildah libcap2-bin libdbus-1-dev binutils

# What -static-executable leaves open, in the order the linker wants it: RE2 before the C++ library it calls, and libdbus
# for libpcap's D-Bus source with the two functions that it wants of systemd.
IMAGE_LINK := -Xswiftc -static-executable \
	-Xlinker -ldbus-1 -Xlinker $(abspath $(IMAGE_BUILD))/systemd-stubs.o \
	-Xlinker -lre2 -Xlinker -lstdc++

.PHONY: image image-requirements image-executable

image: image-requirements image-executable
	mkdir -p $(IMAGE_BUILD)/context
	strip -o $(IMAGE_BUILD)/context/wingmirror $(IMAGE_BUILD)/release/wingmirror
	setcap cap_net_raw=ep $(IMAGE_BUILD)/context/wingmirror
	$(BUILDAH) bud --isolation chroot --layers=false -t $(IMAGE) \
		--build-arg VERSION=$(IMAGE_VERSION) --build-arg REVISION=$(IMAGE_REVISION) \
		-f $(IMAGE_SAMPLES)/Containerfile $(IMAGE_BUILD)/context
	rm -rf $(IMAGE_BUILD)/oci
	$(BUILDAH) push $(IMAGE) oci:$(IMAGE_BUILD)/oci:dev
	@echo "built $(IMAGE); as an OCI layout: $(IMAGE_BUILD)/oci"

image-executable: $(IMAGE_BUILD)/systemd-stubs.o
	swift build -c release --product wingmirror --scratch-path $(IMAGE_BUILD) $(IMAGE_LINK)

$(IMAGE_BUILD)/systemd-stubs.o: $(IMAGE_SAMPLES)/systemd-stubs.c
	mkdir -p $(IMAGE_BUILD)
	$(CC) -O2 -Wall -Wextra -Werror -c -o $@ $<

image-requirements:
	@missing=""; \
	for package in $(IMAGE_PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "make image: missing packages:$$missing" >&2; \
		echo "  apt-get install --no-install-recommends$$missing" >&2; exit 1; \
	fi; \
	if [ "$$(id -u)" != 0 ]; then \
		echo "make image: not root: setcap and buildah need it; run sudo make image" >&2; exit 1; \
	fi

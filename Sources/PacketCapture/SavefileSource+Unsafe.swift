// Wingmirror · Apache-2.0

import CPcap
import Glibc

/// The octets of a savefile as libpcap is to see them: from a file or a pipe, decompressed when they are gzip data.
///
/// libpcap reads savefiles through C's streams. This class stands behind such a stream, so that what is read and what
/// is decompressed can be counted, and so that a fault below libpcap keeps its own words. It serves one reader on one
/// thread and is not `Sendable`.
@safe
final class SavefileSource {
    /// How much is read at once: 128 KiB took the least processor time of 4 KiB to 1 MiB, because it stays in the
    /// second-level cache between the kernel's copy and libpcap's.
    static let bufferOctets = 128 << 10

    /// Buffers start with a page: the kernel copies to one that starts 16 octets later a third more slowly.
    static let bufferAlignment = 4096

    /// How many of the first octets tell what a file is.
    static let headOctets = 16

    /// How the file is called in messages.
    let name: String
    /// The size of the file as stored; `nil` for what has no size, such as a pipe.
    let totalOctets: Int?
    /// Octets read from the file as stored.
    private(set) var octetsRead = 0
    /// Octets given out, after decompression.
    private(set) var octetsDelivered = 0
    /// What went wrong below libpcap, if anything did.
    private(set) var failure: String?
    /// The first octets, after decompression: enough to tell what the file is.
    private(set) var head: [UInt8] = []
    /// Octets that were looked at and are to be given out once more.
    private var returned: [UInt8] = []

    private let descriptor: CInt
    private let ownsDescriptor: Bool
    /// Waits for what has no size, such as a pipe; `nil` to wait in the kernel.
    private let pipe: PipeWait?
    /// Whether a stop ended a pipe, so that what is cut short there is no damage.
    private(set) var wasStopped = false
    private var inflate: InflateStream?
    /// Octets read from the file and not yet given out or decompressed.
    private var pending: UnsafeMutableRawBufferPointer
    private var pendingRange = 0..<0
    private var isAtEnd = false
    /// What the C stream buffers in; it must outlive the stream.
    private let streamBuffer: UnsafeMutableRawBufferPointer

    /// Opens a savefile.
    /// - Parameters:
    ///   - path: A path, or `-` for standard input.
    ///   - bufferOctets: How much to read at once.
    ///   - pipe: Waits for octets of a pipe.
    /// - Throws: `.noSuchFile`, `.isDirectory`, `.unreadable`, or `.emptyFile`.
    init(
        path: String,
        bufferOctets: Int = SavefileSource.bufferOctets,
        pipe: PipeWait? = nil
    ) throws(CaptureError) {
        ownsDescriptor = path != "-"
        name = ownsDescriptor ? path : "standard input"
        // A named pipe would keep the call until somebody writes to it; where pipes are waited for, that is done below.
        let waiting = pipe == nil ? 0 : O_NONBLOCK
        descriptor = unsafe ownsDescriptor ? open(path, O_RDONLY | O_CLOEXEC | waiting) : STDIN_FILENO
        let openError = errno
        var status = stat()
        let isKnown = unsafe descriptor >= 0 && fstat(descriptor, &status) == 0
        let isRegular = isKnown && status.st_mode & S_IFMT == S_IFREG
        totalOctets = isRegular ? Int(status.st_size) : nil
        self.pipe = isRegular ? nil : pipe
        unsafe pending = .allocate(byteCount: bufferOctets, alignment: Self.bufferAlignment)
        unsafe streamBuffer = .allocate(byteCount: bufferOctets, alignment: Self.bufferAlignment)

        guard isKnown else {
            throw openError == ENOENT || openError == ENOTDIR
                ? CaptureError(.noSuchFile, "\(name): no such file or folder")
                : CaptureError(.unreadable, "\(name) cannot be opened", cause: systemMessage(openError))
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw CaptureError(.isDirectory, "\(name) is a directory, not a pcap file")
        }
        try recognise()
    }

    deinit {
        unsafe pending.deallocate()
        unsafe streamBuffer.deallocate()
        if ownsDescriptor, descriptor >= 0 {
            close(descriptor)
        }
    }

    /// Reads the first octets, finds out whether they are gzip data, and keeps what the file begins with.
    private func recognise() throws(CaptureError) {
        while pendingRange.count < 6, fill() {}
        guard !wasStopped else {
            throw CaptureError(.stopped, "\(name) was not waited for any longer")
        }
        guard failure == nil || !pendingRange.isEmpty else {
            throw CaptureError(.unreadable, "\(name) cannot be read", cause: failure)
        }
        guard !pendingRange.isEmpty else {
            throw CaptureError(.emptyFile, "\(name) is empty: it has not even the header of a pcap file")
        }
        if pendingRange.count >= 2, unsafe pending[0] == 0x1F, unsafe pending[1] == 0x8B {
            inflate = InflateStream()
        }
    }

    /// Reads more of the file after what is pending; `false` at its end or when it cannot be read.
    private func fill() -> Bool {
        if pendingRange.isEmpty {
            pendingRange = 0..<0
        }
        guard !isAtEnd, unsafe pendingRange.upperBound < pending.count else {
            return false
        }
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: pending[pendingRange.upperBound...])
        let count = unsafe readFile(into: room)
        pendingRange = pendingRange.lowerBound..<(pendingRange.upperBound + max(count, 0))
        return count > 0
    }

    /// Reads from the file itself: the number of octets, 0 at its end, -1 when it cannot be read.
    private func readFile(into room: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            if let pipe, !pipe.wait(for: descriptor) {
                isAtEnd = true
                wasStopped = true
                return 0
            }
            let count = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
            if count < 0, errno == EINTR || errno == EAGAIN && pipe != nil {
                continue
            }
            if count < 0 {
                failure = systemMessage(errno)
            }
            isAtEnd = count <= 0
            octetsRead += max(count, 0)
            return count
        }
    }
}

// MARK: - Giving out octets

extension SavefileSource {
    /// Gives out the next octets: how many, 0 at the end, -1 when `failure` says why there are no more.
    func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe readReturned(into: room) ?? readFurther(into: room)
        octetsDelivered += max(count, 0)
        if head.count < Self.headOctets, count > 0 {
            unsafe head.append(contentsOf: room.prefix(min(count, Self.headOctets - head.count)))
        }
        return count
    }

    /// Looks at the first octets, before any other is read: as many as there are, up to `count`.
    func peek(_ count: Int) -> [UInt8] {
        returned = octets(count)
        octetsDelivered = 0
        head = []
        return returned
    }

    private func readReturned(into room: UnsafeMutableRawBufferPointer) -> Int? {
        guard !returned.isEmpty else {
            return nil
        }
        let count = min(room.count, returned.count)
        for (index, octet) in returned.prefix(count).enumerated() {
            unsafe room[index] = octet
        }
        returned.removeFirst(count)
        return count
    }

    private func readFurther(into room: UnsafeMutableRawBufferPointer) -> Int {
        inflate == nil ? unsafe readPlain(into: room) : unsafe readInflated(into: room)
    }

    private func readPlain(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard !pendingRange.isEmpty else {
            return isAtEnd ? (failure == nil ? 0 : -1) : unsafe readFile(into: room)
        }
        let count = min(room.count, pendingRange.count)
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: pending[pendingRange.prefix(count)]))
        pendingRange = pendingRange.dropFirst(count)
        return count
    }

    private func readInflated(into room: UnsafeMutableRawBufferPointer) -> Int {
        while failure == nil {
            if pendingRange.isEmpty, !fill() {
                guard inflate?.isBetweenMembers == false else {
                    return failure == nil ? 0 : -1
                }
                // A gzip member ends with a check of its content; without it, the file was cut.
                failure = failure ?? "the gzip data is cut short after \(octetsRead) bytes"
                return -1
            }
            let input = unsafe UnsafeRawBufferPointer(rebasing: pending[pendingRange])
            switch unsafe inflate?.step(input, into: room) {
            case .progress(let consumed, let produced):
                pendingRange = pendingRange.dropFirst(consumed)
                if produced > 0 {
                    return produced
                }
            case .failed(let reason):
                failure = "the gzip data is broken near its byte \(octetsRead - pendingRange.count) (\(reason))"
            case nil:
                failure = "zlib has no memory"
            }
        }
        return -1
    }

    /// Gives out up to `count` octets as an array; fewer only at the end or at a fault.
    func octets(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let room = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...]
                )
                let read = unsafe self.read(into: room)
                guard read > 0 else { break }
                initialized += read
            }
        }
    }
}

// MARK: - The C stream

extension SavefileSource {
    /// Opens a C stream of these octets, which borrows this object until the stream is closed.
    ///
    /// The C functions are `fopencookie` and `setvbuf`.
    func openStream() -> UnsafeMutablePointer<FILE>? {
        let functions = unsafe cookie_io_functions_t(
            read: { cookie, buffer, count in
                guard let cookie = unsafe cookie, let buffer = unsafe buffer else {
                    return -1
                }
                let source = unsafe Unmanaged<SavefileSource>.fromOpaque(cookie).takeUnretainedValue()
                return unsafe source.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
            },
            write: nil,
            // The stream cannot seek; it can only be asked where it is.
            seek: { cookie, offset, whence in
                guard let cookie = unsafe cookie, let offset = unsafe offset, whence == SEEK_CUR,
                    unsafe offset.pointee == 0
                else {
                    return -1
                }
                let source = unsafe Unmanaged<SavefileSource>.fromOpaque(cookie).takeUnretainedValue()
                unsafe offset.pointee = __off64_t(source.octetsDelivered)
                return 0
            },
            close: nil
        )
        let cookie = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let stream = unsafe fopencookie(cookie, "r", functions) else {
            return nil
        }
        unsafe setvbuf(
            stream,
            streamBuffer.baseAddress?.assumingMemoryBound(to: CChar.self),
            _IOFBF,
            streamBuffer.count
        )
        return unsafe stream
    }
}

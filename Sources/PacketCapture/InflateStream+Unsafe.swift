// Wingmirror · Apache-2.0
// The gzip file format: RFC 1952. All calls into zlib are in this file.

import CZlib

/// A gzip stream being decompressed; the only owner of zlib's state.
///
/// A gzip file may have several members, one after another, which read as one (RFC 1952 §2.2), and zeros after the last.
@safe
struct InflateStream: ~Copyable {
    /// What one step of decompression came to.
    enum Step {
        /// Octets were taken or given, or both.
        case progress(consumed: Int, produced: Int)
        /// The input is no gzip data; the reason is zlib's.
        case failed(String)
    }

    /// zlib's state, on the heap because zlib keeps a pointer to it.
    private let state: UnsafeMutablePointer<z_stream>
    /// Whether a member has ended and no octet of another has been seen.
    private(set) var isBetweenMembers = false

    /// Prepares to decompress.
    ///
    /// The C function is `inflateInit2`.
    init?() {
        unsafe state = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        // 15 window bits is the most that deflate may use; 16 more ask for a gzip header and its check.
        let version = ZLIB_VERSION
        guard unsafe inflateInit2_(state, 15 + 16, version, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe state.deallocate()
            return nil
        }
    }

    /// Releases the state.
    ///
    /// The C function is `inflateEnd`.
    deinit {
        unsafe inflateEnd(state)
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// Decompresses as much of `input` as `output` has room for.
    ///
    /// The C functions are `inflate` and, for the next member, `inflateReset`.
    mutating func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Step {
        if isBetweenMembers {
            // Zeros after the last member are padding, as tape drives and some tools write it.
            let padding = unsafe input.prefix { $0 == 0 }.count
            guard padding < input.count else {
                return .progress(consumed: padding, produced: 0)
            }
            isBetweenMembers = false
            unsafe inflateReset(state)
            return unsafe step(
                UnsafeRawBufferPointer(rebasing: input[padding...]),
                into: output,
                consumedBefore: padding
            )
        }
        return unsafe step(input, into: output, consumedBefore: 0)
    }

    private mutating func step(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer,
        consumedBefore: Int
    ) -> Step {
        // zlib's interface is not const-correct: it does not write through `next_in`.
        unsafe state.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        unsafe state.pointee.avail_in = UInt32(clamping: input.count)
        unsafe state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_out = UInt32(clamping: output.count)
        let before = unsafe (input: state.pointee.avail_in, output: state.pointee.avail_out)
        let result = unsafe inflate(state, Z_NO_FLUSH)
        let consumed = unsafe consumedBefore + Int(before.input - state.pointee.avail_in)
        let produced = unsafe Int(before.output - state.pointee.avail_out)
        switch result {
        case Z_OK, Z_BUF_ERROR:
            return .progress(consumed: consumed, produced: produced)
        case Z_STREAM_END:
            isBetweenMembers = true
            return .progress(consumed: consumed, produced: produced)
        default:
            // What was decompressed before the fault is given out first; the fault is met again at the next step.
            guard produced == 0 else {
                return .progress(consumed: consumed, produced: produced)
            }
            return unsafe .failed(state.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib's error \(result)")
        }
    }
}

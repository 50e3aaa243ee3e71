// Wingmirror · Apache-2.0
// The gzip format: RFC 1952.

import CZlib

/// Compresses a whole page at once.
enum GzipEncoder {
    /// Compresses `octets` at level 1, which costs the least time; `nil` when zlib has no memory for it.
    ///
    /// The C functions are `deflateInit2`, `deflateBound` and `deflate`.
    static func compress(_ octets: [UInt8]) -> [UInt8]? {
        guard octets.count <= Int(UInt32.max) else { return nil }
        var stream = unsafe z_stream()
        // 15 bits of window, and 16 more to say gzip rather than zlib.
        let status = unsafe deflateInit2_(
            &stream,
            1,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard status == Z_OK else { return nil }
        defer { unsafe _ = deflateEnd(&stream) }
        let bound = unsafe Int(deflateBound(&stream, UInt(octets.count)))
        guard bound <= Int(UInt32.max) else { return nil }
        var isComplete = false
        let compressed = unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            unsafe octets.withUnsafeBufferPointer { input in
                // zlib only reads its input, though its type does not say so; both buffers outlive the one call, and the
                // output has the room that `deflateBound` asks for, so one call does all.
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(output.count)
                isComplete = unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = unsafe output.count - Int(stream.avail_out)
            }
        }
        return isComplete ? compressed : nil
    }
}

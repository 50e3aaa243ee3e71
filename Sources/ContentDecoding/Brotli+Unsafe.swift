// Wingmirror · Apache-2.0
// Brotli: RFC 7932. All calls into libbrotlidec are in this file.

import CBrotli

/// Decompresses Brotli content that is in memory.
enum Brotli {
    /// Octets that are decompressed at a time.
    private static let chunk = 64 << 10

    /// Decompresses `content`, up to `limit` octets; what follows the data is ignored, as with gzip.
    ///
    /// The decoder holds a window of 16 MiB at most (RFC 7932 §9.1), and no more than the content asks for.
    /// The C functions are `BrotliDecoderCreateInstance`, `BrotliDecoderDecompressStream` and `BrotliDecoderDestroyInstance`.
    static func decompress(_ content: [UInt8], limit: Int) throws(ContentDecodingError) -> DecodedContent {
        guard !content.isEmpty else { return DecodedContent(octets: [], end: .whole) }
        guard let decoder = unsafe BrotliDecoderCreateInstance(nil, nil, nil) else {
            throw .malformed("brotli has no memory")
        }
        defer { unsafe BrotliDecoderDestroyInstance(decoder) }

        var output: [UInt8] = []
        var consumed = 0
        while true {
            // One octet more than the limit shows that there is more, and nothing beyond it is ever decompressed.
            let room = min(chunk, limit + 1 - output.count)
            let result = unsafe decompress(decoder, content, from: &consumed, into: &output, room: room)
            if output.count > limit {
                output.removeLast(output.count - limit)
                return DecodedContent(octets: output, end: .limit)
            }
            switch result {
            case BROTLI_DECODER_RESULT_SUCCESS:
                return DecodedContent(octets: output, end: .whole)
            case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
                continue
            case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
                return DecodedContent(octets: output, end: .truncated)
            default:
                let reason = unsafe BrotliDecoderErrorString(BrotliDecoderGetErrorCode(decoder))
                throw .malformed(unsafe reason.map { unsafe "brotli: \(String(cString: $0))" } ?? "brotli's error")
            }
        }
    }

    /// Calls the library once, for up to `room` octets of output.
    @unsafe
    private static func decompress(
        _ decoder: OpaquePointer,
        _ content: [UInt8],
        from consumed: inout Int,
        into output: inout [UInt8],
        room: Int
    ) -> BrotliDecoderResult {
        var result = BROTLI_DECODER_RESULT_ERROR
        var left = content.count - consumed
        let produced = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            unsafe content.withUnsafeBufferPointer { input in
                // Both buffers outlive the call, and the decoder keeps no pointer into them.
                var next = unsafe input.baseAddress.map { unsafe $0 + consumed }
                var place = buffer.baseAddress
                var free = room
                result = unsafe BrotliDecoderDecompressStream(decoder, &left, &next, &free, &place, nil)
                count = room - free
            }
        }
        consumed = content.count - left
        output += produced
        return result
    }
}

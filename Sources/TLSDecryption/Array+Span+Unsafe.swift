// Wingmirror · Apache-2.0

internal import Glibc

extension [UInt8] {
    /// Appends borrowed octets.
    mutating func append(contentsOf octets: Span<UInt8>) {
        // The buffer is used within the closure only.
        unsafe octets.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Overwrites everything with zeros, then empties the array and keeps its memory.
    mutating func wipe() {
        unsafe withUnsafeMutableBytes { unsafe $0.wipe() }
        removeAll(keepingCapacity: true)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the memory with zeros, by stores that the compiler may not leave out.
    func wipe() {
        guard let base = baseAddress else { return }
        unsafe explicit_bzero(base, count)
    }
}

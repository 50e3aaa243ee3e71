// Wingmirror · Apache-2.0

/// Octets of a secret, in memory that is overwritten before it is given back.
///
/// `@unchecked Sendable`: the memory is written in the initializer only, and the sole owner frees it.
@safe
final class SecretOctets: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ octets: Span<UInt8>) {
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(octets.count, 1), alignment: 1)
        count = octets.count
        for index in 0..<octets.count { unsafe memory[index] = octets[index] }
    }

    deinit {
        unsafe memory.wipe()
        unsafe memory.deallocate()
    }

    let count: Int

    /// The octets, borrowed for the call only.
    func withOctets<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try unsafe body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Whether another secret is the same.
    func equals(_ other: SecretOctets) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where unsafe memory[index] != other.memory[index] { return false }
        return true
    }
}

// Wingmirror · Apache-2.0

import Synchronization

/// A list of 64-bit words that only grows and never moves.
///
/// One thread appends and writes, any thread reads. Chunks double in size, so that a list of any length is found through
/// a few pointers, and none of its words ever changes its place.
///
/// `@unchecked Sendable`: chunks are published with release before the count that covers them, readers take the count
/// with acquire, every word is atomic, and the sole owner frees all when no thread holds it any more.
@safe
struct GrowingWords: ~Copyable, @unchecked Sendable {
    private typealias Chunk = UnsafeMutablePointer<Atomic<UInt64>>
    private typealias Directory = UnsafeMutablePointer<Atomic<Chunk?>>

    /// The first chunk has 16 words, each later one as many as all before it.
    private static let firstChunkBits = 4
    private static let chunkLimit = 20

    private let directory: Atomic<Directory?>
    private let published = Atomic<Int>(0)

    /// Makes an empty list, allocating nothing.
    init() {
        unsafe directory = Atomic(nil)
    }

    deinit {
        guard let chunks = unsafe directory.load(ordering: .acquiring) else { return }
        for index in 0..<Self.chunkLimit {
            if let chunk = unsafe chunks[index].load(ordering: .acquiring) {
                unsafe chunk.free(count: Self.size(ofChunk: index))
            }
        }
        unsafe chunks.deinitialize(count: Self.chunkLimit)
        unsafe chunks.deallocate()
    }

    /// How many words there are.
    var count: Int {
        published.load(ordering: .acquiring)
    }

    /// The value of a word.
    @inline(__always)
    func load(_ index: Int) -> UInt64 {
        let (chunk, offset) = unsafe place(of: index)
        return unsafe chunk[offset].load(ordering: .relaxed)
    }

    /// Adds one to a word; writer only.
    @inline(__always)
    func increment(_ index: Int) {
        let (chunk, offset) = unsafe place(of: index)
        // A counter begins again at zero after 2^64, as scrapers expect of counters.
        unsafe chunk[offset].store(chunk[offset].load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Appends two words at once; writer only.
    func append(_ first: UInt64, _ second: UInt64) {
        let index = published.load(ordering: .relaxed)
        let chunks = unsafe directory.load(ordering: .relaxed) ?? addDirectory()
        let number = Self.chunk(of: index)
        precondition(number < Self.chunkLimit, "GrowingWords.append: the list is full")
        if unsafe chunks[number].load(ordering: .relaxed) == nil {
            unsafe chunks[number].store(
                Chunk.allocateZeroed(count: Self.size(ofChunk: number)),
                ordering: .releasing
            )
        }
        let (chunk, offset) = unsafe place(unchecked: index, in: chunks)
        unsafe chunk[offset].store(first, ordering: .relaxed)
        unsafe chunk[offset + 1].store(second, ordering: .relaxed)
        published.store(index + 2, ordering: .releasing)
    }

    // MARK: - Where a word is

    /// Which chunk holds a word: chunk 0 holds 0..<16, chunk 1 16..<32, chunk 2 32..<64, and so on.
    @inline(__always)
    private static func chunk(of index: Int) -> Int {
        let block = index >> firstChunkBits
        return Int.bitWidth - block.leadingZeroBitCount
    }

    private static func size(ofChunk number: Int) -> Int {
        number == 0 ? 1 << firstChunkBits : 1 << (firstChunkBits + number - 1)
    }

    @inline(__always)
    private func place(of index: Int) -> (chunk: Chunk, offset: Int) {
        guard let chunks = unsafe directory.load(ordering: .acquiring),
            index >= 0, index < published.load(ordering: .acquiring)
        else { preconditionFailure("GrowingWords.place: index in range") }
        return unsafe place(unchecked: index, in: chunks)
    }

    /// The place of a word whose chunk exists.
    @inline(__always)
    private func place(unchecked index: Int, in chunks: Directory) -> (chunk: Chunk, offset: Int) {
        let number = Self.chunk(of: index)
        guard let chunk = unsafe chunks[number].load(ordering: .acquiring) else {
            preconditionFailure("GrowingWords.place: a word below the count has a chunk")
        }
        return unsafe (chunk, number == 0 ? index : index - Self.size(ofChunk: number))
    }

    private func addDirectory() -> Directory {
        let chunks = Directory.allocate(capacity: Self.chunkLimit)
        for index in 0..<Self.chunkLimit {
            unsafe (chunks + index).initialize(to: Atomic(nil))
        }
        unsafe directory.store(chunks, ordering: .releasing)
        return unsafe chunks
    }
}

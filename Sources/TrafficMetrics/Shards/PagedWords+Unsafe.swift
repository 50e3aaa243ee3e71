// Wingmirror · Apache-2.0

import Synchronization

/// A wide run of 64-bit counters of which few are used: memory exists only for pages that were written.
///
/// One thread writes, any thread reads. A page is allocated when the first of its words is written and stays until the
/// owner goes, so a reader never sees one disappear. An untouched run costs three words.
///
/// `@unchecked Sendable`: pages are published with release and found with acquire, every word is atomic, and the sole
/// owner frees all when no thread holds it any more.
@safe
struct PagedWords: ~Copyable, @unchecked Sendable {
    /// A page has 16 words: 128 octets, two cache lines.
    private static let pageBits = 4
    static let pageWords = 1 << pageBits

    private typealias Page = UnsafeMutablePointer<Atomic<UInt64>>
    private typealias Directory = UnsafeMutablePointer<Atomic<Page?>>

    /// How many words there are.
    let count: Int
    private let directory: Atomic<Directory?>

    private var pageCount: Int {
        (count + Self.pageWords - 1) / Self.pageWords
    }

    /// Makes words that are all zero, allocating none.
    init(count: Int) {
        self.count = count
        unsafe directory = Atomic(nil)
    }

    deinit {
        guard let pages = unsafe directory.load(ordering: .acquiring) else { return }
        for index in 0..<pageCount {
            if let page = unsafe pages[index].load(ordering: .acquiring) {
                unsafe page.free(count: Self.pageWords)
            }
        }
        unsafe pages.deinitialize(count: pageCount)
        unsafe pages.deallocate()
    }

    /// The value of a word; 0 where nothing was written.
    func load(_ index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "PagedWords.load: index in range")
        guard let pages = unsafe directory.load(ordering: .acquiring),
            let page = unsafe pages[index >> Self.pageBits].load(ordering: .acquiring)
        else { return 0 }
        return unsafe page[index & (Self.pageWords - 1)].load(ordering: .relaxed)
    }

    /// Sets a word; writer only.
    @inline(__always)
    func store(_ value: UInt64, at index: Int) {
        let page = unsafe page(of: index)
        unsafe page[index & (Self.pageWords - 1)].store(value, ordering: .relaxed)
    }

    /// Adds to a word; writer only.
    @inline(__always)
    func add(_ amount: UInt64, at index: Int) {
        let page = unsafe page(of: index)
        let value = unsafe page[index & (Self.pageWords - 1)].load(ordering: .relaxed)
        // A counter begins again at zero after 2^64, as scrapers expect of counters.
        unsafe page[index & (Self.pageWords - 1)].store(value &+ amount, ordering: .relaxed)
    }

    /// Sets a word that is still 0; writer only.
    @inline(__always)
    func storeFirst(_ value: UInt64, at index: Int) {
        let page = unsafe page(of: index)
        if unsafe page[index & (Self.pageWords - 1)].load(ordering: .relaxed) == 0 {
            unsafe page[index & (Self.pageWords - 1)].store(value, ordering: .relaxed)
        }
    }

    /// Whether no word was ever written.
    var isUntouched: Bool {
        unsafe directory.load(ordering: .acquiring) == nil
    }

    /// Copies all pages that exist, quickly; what they hold is looked at afterwards.
    func copy(into copy: inout PagedWordsCopy) {
        copy.removeAll()
        guard let pages = unsafe directory.load(ordering: .acquiring) else { return }
        for number in 0..<pageCount {
            guard let page = unsafe pages[number].load(ordering: .acquiring) else { continue }
            copy.appendPage(startingAt: number << Self.pageBits)
            for word in 0..<Self.pageWords {
                copy.append(unsafe page[word].load(ordering: .relaxed))
            }
        }
    }

    /// The page of a word, allocated if need be; writer only.
    @inline(__always)
    private func page(of index: Int) -> Page {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "PagedWords.page: index in range")
        if let pages = unsafe directory.load(ordering: .relaxed),
            let page = unsafe pages[index >> Self.pageBits].load(ordering: .relaxed)
        {
            return unsafe page
        }
        return unsafe addPage(index >> Self.pageBits)
    }

    @inline(never)
    private func addPage(_ number: Int) -> Page {
        let pages = unsafe directory.load(ordering: .relaxed) ?? addDirectory()
        let page = unsafe Page.allocateZeroed(count: Self.pageWords)
        unsafe pages[number].store(page, ordering: .releasing)
        return unsafe page
    }

    private func addDirectory() -> Directory {
        let pages = Directory.allocate(capacity: pageCount)
        for index in 0..<pageCount {
            unsafe (pages + index).initialize(to: Atomic(nil))
        }
        unsafe directory.store(pages, ordering: .releasing)
        return unsafe pages
    }
}

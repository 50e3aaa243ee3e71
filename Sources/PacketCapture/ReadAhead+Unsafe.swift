// Wingmirror · Apache-2.0

import Glibc

/// Decompresses gzipped savefiles ahead of their readers, on threads of its own.
///
/// Decompressing takes several times as long as all that is done with the packets afterwards, and needs nothing but
/// the file. So that alone is shared out: one thread reads the packets of all files and does with them what it always
/// does, in the same order, and cannot tell who decompressed them.
///
/// The work comes in blocks, and no thread waits that could do some of it. A reader whose next octets are not there
/// decompresses them itself, unless another thread is at that file; then it decompresses a block of another file
/// meanwhile. That is what makes files that follow one another quicker too, such as `tcpdump -C` writes: while one is
/// read, as much of the next as fits is made ready.
final class ReadAhead: Sendable {
    /// What is bounded.
    enum Limits {
        /// Octets of a block, after decompression: a millisecond or two of work, of which waking a thread is a small
        /// part.
        static let blockOctets = 256 << 10
        /// Blocks that are made ready of a file whose reader has asked for octets, before other files get any.
        static let blocksOfWantedFile = 2
    }

    private let blocks: BlockBoard
    private let threads: [CaptureThread]

    /// Starts the threads; one that the system refuses is done without.
    ///
    /// - Parameters:
    ///   - threads: How many threads there are beside that of the readers.
    ///   - octets: How much may be ready and not yet given out, after decompression, of all files together.
    ///   - blockOctets: The octets of a block.
    init(threads: Int, octets: Int, blockOctets: Int = Limits.blockOctets) {
        let blocks = BlockBoard(capacity: octets / blockOctets, blockOctets: blockOctets)
        self.blocks = blocks
        self.threads = (0..<threads).compactMap { number in
            try? CaptureThread.start(name: "read-ahead-\(number)") { blocks.work() }
        }
    }

    /// Ends the threads, each after its block.
    deinit {
        blocks.close()
        for thread in threads { thread.join() }
    }

    /// Whether a file has been taken over.
    var hasFiles: Bool { blocks.hasFiles }

    /// The memory that the blocks take, used or not.
    var octetsHeld: Int { blocks.octetsHeld }

    /// Takes over a file, of which blocks are made ready from now on.
    ///
    /// - Parameter stored: The file, which must be used in no other way from here on.
    /// - Returns: What gives its octets out; the readers of all files must be on one thread.
    func add(_ stored: StoredOctets) -> OctetsAhead {
        OctetsAhead(blocks.add(stored), of: blocks)
    }
}

/// The octets of a savefile that is read ahead, as its reader takes them.
///
/// It serves one reader on one thread and is not `Sendable`.
@safe
final class OctetsAhead {
    /// Octets read from the file as stored, of which those were made that have been given out.
    private(set) var octetsRead: Int
    /// What went wrong behind the octets that have been given out.
    private(set) var failure: String?

    private let file: AheadFile
    private let blocks: BlockBoard
    private var block: Block?
    /// How many octets of the block have been given out.
    private var taken = 0

    fileprivate init(_ file: AheadFile, of blocks: BlockBoard) {
        self.file = file
        self.blocks = blocks
        octetsRead = file.octetsReadBefore
    }

    deinit {
        blocks.forget(file, and: block)
    }

    /// Gives out the next octets: how many, 0 at the end, -1 when `failure` says why there are no more.
    func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            if let block {
                let count = unsafe block.copy(from: taken, into: room)
                if count > 0 {
                    taken += count
                    return count
                }
                self.block = nil
                blocks.putBack(block)
            }
            switch unsafe blocks.next(of: file, room) {
            case .block(let next):
                block = next
                taken = 0
                octetsRead = next.octetsRead
            case .made(let count, let octetsRead, let failure):
                self.octetsRead = octetsRead
                if count <= 0 { self.failure = failure }
                return count
            }
        }
    }
}

// MARK: - What the threads share

/// Octets of a file, decompressed.
///
/// `@unchecked Sendable`: one thread at a time uses it, the one that fills it, then that of the file's reader. In between it
/// lies on the board, whose lock orders the two.
@safe
private final class Block: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0
    /// How much of the file as stored was read when these octets had been made.
    private(set) var octetsRead = 0

    init(octets: Int) {
        unsafe memory = .allocate(byteCount: octets, alignment: SavefileSource.bufferAlignment)
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// Copies the octets from `start` on that there is room for, and says how many those are.
    func copy(from start: Int, into room: UnsafeMutableRawBufferPointer) -> Int {
        let end = min(count, start + room.count)
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<end]))
        return end - start
    }

    /// Whether there are none.
    var isEmpty: Bool { count == 0 }

    /// Takes the next octets of a file; `false` when there are no more behind them.
    func fill(from stored: StoredOctets) -> Bool {
        count = 0
        var read = 1
        while read > 0, unsafe count < memory.count {
            read = unsafe stored.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
            count += max(read, 0)
        }
        octetsRead = stored.octetsRead
        return read > 0
    }
}

/// A file that is read ahead.
///
/// `@unchecked Sendable`: the variables are guarded by the lock of the board. `stored` is used only by the thread that has set
/// `isClaimed`, which it does under that lock, and so by one at a time; by that of its reader when `hasEnded` is set too.
private final class AheadFile: @unchecked Sendable {
    let stored: StoredOctets
    /// What had been read of the file as stored when it was taken over.
    let octetsReadBefore: Int
    /// Blocks in their order, of which the reader takes the first.
    var ready: [Block] = []
    /// Whether a thread is at it.
    var isClaimed = false
    /// How often its reader has asked for octets.
    var asks = 0
    /// Whether no block will come any more, behind those that are ready.
    var hasEnded = false
    /// Whether its reader is gone.
    var isForgotten = false

    /// Whether a block can be filled of it now.
    var canBeClaimed: Bool { !isClaimed && !hasEnded }

    /// Whether it is being read: all files are asked for their first packet when they are opened.
    var isWanted: Bool { asks > 1 }

    init(_ stored: StoredOctets) {
        self.stored = stored
        octetsReadBefore = stored.octetsRead
    }
}

/// Which files there are, which blocks are ready, and who does what next.
///
/// `@unchecked Sendable`: all variables are guarded by the lock; no octet is read, decompressed or copied under it.
@safe
private final class BlockBoard: @unchecked Sendable {
    /// What a reader gets.
    enum Next {
        /// A block, to be put back.
        case block(Block)
        /// What `StoredOctets.read` gave, into the reader's own room, and how the file then stood.
        case made(Int, octetsRead: Int, failure: String?)
    }

    /// How many blocks there may be.
    private let capacity: Int
    private let blockOctets: Int
    /// How many of them are kept for files whose readers ask for octets.
    private let reserve: Int
    private var files: [AheadFile] = []
    private var hadFiles = false
    /// Blocks that are ready, being filled, or being read.
    private var blocksInUse = 0
    /// Blocks to be filled again: fresh memory would cost a page fault for each page.
    private var spare: [Block] = []
    private var isClosing = false

    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    /// There may be something to do.
    private let workCame: UnsafeMutablePointer<pthread_cond_t>
    /// A block is ready, or a file is free again.
    private let blockCame: UnsafeMutablePointer<pthread_cond_t>

    /// Makes a board without files.
    ///
    /// The C functions are `pthread_mutex_init` and `pthread_cond_init`.
    init(capacity: Int, blockOctets: Int) {
        self.capacity = capacity
        self.blockOctets = blockOctets
        reserve = min(capacity / 4, 2 * ReadAhead.Limits.blocksOfWantedFile)
        unsafe lock = .allocate(capacity: 1)
        unsafe workCame = .allocate(capacity: 1)
        unsafe blockCame = .allocate(capacity: 1)
        unsafe lock.initialize(to: pthread_mutex_t())
        unsafe workCame.initialize(to: pthread_cond_t())
        unsafe blockCame.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(workCame, nil)
        unsafe pthread_cond_init(blockCame, nil)
    }

    /// The C functions are `pthread_mutex_destroy` and `pthread_cond_destroy`.
    deinit {
        unsafe pthread_cond_destroy(blockCame)
        unsafe pthread_cond_destroy(workCame)
        unsafe pthread_mutex_destroy(lock)
        unsafe blockCame.deallocate()
        unsafe workCame.deallocate()
        unsafe lock.deallocate()
    }

    /// The C functions are `pthread_mutex_lock` and `pthread_mutex_unlock`.
    private func withLock<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return body()
    }

    // MARK: The threads that read ahead

    /// Fills blocks until the board is closed.
    func work() {
        while let (file, block) = withLock({ waitForWork() }) {
            fill(block, of: file)
        }
    }

    /// Waits for something to do, under the lock; `nil` when the board is closed.
    ///
    /// The C function is `pthread_cond_wait`.
    private func waitForWork() -> (AheadFile, Block)? {
        while !isClosing {
            if let claimed = claim() { return claimed }
            unsafe pthread_cond_wait(workCame, lock)
        }
        return nil
    }

    /// Ends `work`, on all threads.
    func close() {
        withLock {
            isClosing = true
            unsafe pthread_cond_broadcast(workCame)
        }
    }

    /// Chooses a file and a block to fill, under the lock; `nil` when there is nothing to do or no room for it.
    ///
    /// A file whose reader asks for octets comes first, until some are ready; then the files in their order, as those that
    /// follow one another are mostly named so.
    private func claim() -> (AheadFile, Block)? {
        guard blocksInUse < capacity else { return nil }
        let wanted = files.first {
            $0.isWanted && $0.ready.count < ReadAhead.Limits.blocksOfWantedFile && $0.canBeClaimed
        }
        let hasRoom = blocksInUse < capacity - reserve
        guard let file = wanted ?? (hasRoom ? files.first { $0.canBeClaimed } : nil) else { return nil }
        file.isClaimed = true
        blocksInUse += 1
        return (file, spare.popLast() ?? Block(octets: blockOctets))
    }

    /// Fills a block of a file that was claimed, and puts it up for its reader.
    private func fill(_ block: Block, of file: AheadFile) {
        let hasMore = block.fill(from: file.stored)
        withLock {
            file.isClaimed = false
            if !hasMore { file.hasEnded = true }
            if block.isEmpty || file.isForgotten { release(block) } else { file.ready.append(block) }
            unsafe pthread_cond_broadcast(blockCame)
            unsafe pthread_cond_signal(workCame)
        }
    }

    /// A block is not needed any more, under the lock.
    private func release(_ block: Block) {
        blocksInUse -= 1
        spare.append(block)
    }

    // MARK: The thread of the readers

    /// Whether a file has been taken over.
    var hasFiles: Bool { withLock { hadFiles } }

    /// The memory of all blocks.
    var octetsHeld: Int { withLock { (blocksInUse + spare.count) * blockOctets } }

    /// Takes over a file.
    func add(_ stored: StoredOctets) -> AheadFile {
        let file = AheadFile(stored)
        withLock {
            files.append(file)
            hadFiles = true
            unsafe pthread_cond_signal(workCame)
        }
        return file
    }

    /// A file will not be read any more, and the block that its reader has is free.
    func forget(_ file: AheadFile, and block: Block?) {
        withLock {
            if let block { release(block) }
            for block in file.ready { release(block) }
            file.ready = []
            file.hasEnded = true
            file.isForgotten = true
            files.removeAll { $0 === file }
            unsafe pthread_cond_broadcast(workCame)
        }
    }

    /// A block has been read.
    func putBack(_ block: Block) {
        withLock {
            release(block)
            unsafe pthread_cond_signal(workCame)
        }
    }

    /// What a reader does next.
    private enum Step {
        case take(Block)
        /// No more octets come; the file is not in use.
        case end
        /// The file was claimed for the reader.
        case readHere
        /// Another file's block was claimed.
        case fill(AheadFile, Block)
    }

    /// The next octets of a file, for its reader: a block that is ready or, where none is, what its own thread makes.
    func next(of file: AheadFile, _ room: UnsafeMutableRawBufferPointer) -> Next {
        while true {
            switch withLock({ step(of: file) }) {
            case .take(let block):
                return .block(block)
            case .end:
                return .made(
                    file.stored.failure == nil ? 0 : -1,
                    octetsRead: file.stored.octetsRead,
                    failure: file.stored.failure
                )
            case .readHere:
                let count = unsafe file.stored.read(into: room)
                let made = Next.made(count, octetsRead: file.stored.octetsRead, failure: file.stored.failure)
                withLock {
                    file.isClaimed = false
                    if count <= 0 { file.hasEnded = true }
                    unsafe pthread_cond_signal(workCame)
                }
                return made
            case .fill(let other, let block):
                fill(block, of: other)
            }
        }
    }

    /// Says what the reader of a file does next, under the lock, when it has to wait until there is something.
    ///
    /// The C function is `pthread_cond_wait`.
    private func step(of file: AheadFile) -> Step {
        file.asks += 1
        while true {
            if !file.ready.isEmpty { return .take(file.ready.removeFirst()) }
            if file.hasEnded, !file.isClaimed { return .end }
            if !file.isClaimed {
                file.isClaimed = true
                return .readHere
            }
            if let (other, block) = claim() { return .fill(other, block) }
            unsafe pthread_cond_wait(blockCame, lock)
        }
    }
}

// Wingmirror · Apache-2.0

package import AgentConfiguration
// `stat` belongs to whichever C module the compiler met first, which here is that of Dispatch.
import CDispatch
import CProcess
import Glibc
package import TLSDecryption

/// A key log as a file: opened, checked and read; never written, but for the hole that may be punched into it.
///
/// The C functions are `open`, `fstat`, `pread`, `lseek`, `fallocate` and `close`.
package struct KeyLogFile: ~Copyable {
    /// Which file it is, whatever it is called now.
    struct Identity: Hashable {
        private let device: UInt
        private let inode: UInt

        fileprivate init(_ information: stat) {
            device = UInt(information.st_dev)
            inode = UInt(information.st_ino)
        }
    }

    private let descriptor: Int32
    let identity: Identity
    /// Whether everybody on the machine may read it, and its octets are not in memory only.
    let isExposed: Bool

    /// Opens a file to be read.
    /// - Throws: The reason, in the system's words.
    init(_ path: String) throws(FileContents.Failure) {
        // Without O_NONBLOCK a FIFO would be waited for.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileContents.Failure.latest }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0 else {
            let reason = FileContents.systemMessage()
            close(descriptor)
            throw FileContents.Failure(reason: reason)
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileContents.Failure(reason: "it is no regular file")
        }
        self.descriptor = descriptor
        identity = Identity(information)
        isExposed = information.st_mode & S_IROTH != 0 && !Self.isInMemory(UInt64(information.st_dev))
    }

    deinit {
        close(descriptor)
    }

    /// Whether a device number is that of a file system without a disk, by `/proc/self/mountinfo` (proc(5)).
    private static func isInMemory(_ device: UInt64) -> Bool {
        guard let mounts = try? FileContents.read("/proc/self/mountinfo", limit: 8 << 20) else { return false }
        let major = device >> 8 & 0xFFF | device >> 32 & ~0xFFF
        let minor = device & 0xFF | device >> 12 & ~0xFF
        return mounts.split(separator: UInt8(ascii: "\n")).contains { line in
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count > 3, words[2].elementsEqual("\(major):\(minor)".utf8),
                let dash = words.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash + 1 < words.count
            else { return false }
            return words[dash + 1].elementsEqual("tmpfs".utf8) || words[dash + 1].elementsEqual("ramfs".utf8)
        }
    }

    /// Octets of the file, holes included.
    var size: Int {
        var information = stat()
        return unsafe fstat(descriptor, &information) == 0 ? Int(information.st_size) : 0
    }

    /// Reads from an offset on, as many octets as the buffer has room for.
    /// - Returns: How many there were.
    func read(_ buffer: inout [UInt8], at offset: Int) -> Int {
        while true {
            // The buffer is the array's own storage, valid for the call, and its count is passed with it.
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
            }
            if count < 0, errno == EINTR { continue }
            return max(count, 0)
        }
    }

    /// The first offset from one on that is no hole.
    func offsetOfData(from offset: Int) -> Int {
        let found = wingmirror_data_offset(descriptor, offset)
        return found >= 0 ? found : offset
    }

    /// Gives back the memory of what lies before an offset, which leaves the file's size and its writer as they are.
    ///
    /// - Parameters:
    ///   - path: Where the file is, if it still is there: another file at that place is left as it is.
    ///   - identity: Which file is meant.
    ///   - offset: A multiple of the page size; with 0 it is only found out whether it can be done.
    /// - Returns: Whether the path still names that file.
    /// - Throws: The reason why it cannot be done, in the system's words.
    static func punch(_ path: String, of identity: Identity, upTo offset: Int) throws(FileContents.Failure) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw FileContents.Failure(reason: FileContents.systemMessage())
        }
        defer { close(descriptor) }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0, identity == Identity(information) else { return false }
        // Behind the end there is nothing to be lost, and it shows all the same whether the file system does so.
        let (start, length) = offset > 0 ? (0, offset) : ((Int(information.st_size) + (1 << 30)) & ~4_095, 4_096)
        guard wingmirror_punch_hole(descriptor, start, length) == 0 else {
            throw FileContents.Failure(reason: FileContents.systemMessage())
        }
        return true
    }
}

extension KeyLogFile {
    /// Where the keys of pcap files come from: their key log, all of it, and what pcapng files hold themselves.
    ///
    /// Warns on standard error where they are more than there is room for, and where there are none.
    /// - Throws: `.usage` where the key log is missing, `.failed` where it cannot be read.
    package static func savefileKeys(_ configuration: Configuration) throws(CommandFailure) -> KeyStore {
        let path = configuration.tls.keyLog
        let store = KeyStore(limits: configuration.keyLimits(isLive: false), isExpected: !path.isEmpty)
        guard !path.isEmpty else { return store }
        let file: KeyLogFile
        do {
            file = try KeyLogFile(path)
        } catch {
            throw CommandFailure(error == .missing ? .usage : .failed, "\(path): \(error.explained)")
        }
        SecretMemory.protect()
        var reader = KeyLogReader(into: store)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var offset = file.offsetOfData(from: 0)
        while true {
            let count = file.read(&buffer, at: offset)
            guard count > 0 else { break }
            reader.octetsArrived(buffer.span.extracting(..<count))
            offset += count
        }
        reader.ended()
        SecretMemory.wipe(&buffer)
        if let sentence = emptiness(of: path, store) { StandardError.say("warning: \(sentence)") }
        let displaced = store.forgotten.displaced
        if displaced > 0 {
            StandardError.say(
                "warning: \(path): there is room for the keys of the last \(store.count) connections, those of \(displaced) before "
                    + "them are left out: raise limits.memory, or read less of the key log"
            )
        }
        return store
    }
}

extension KeyLogFile {
    /// What to say of a file without a single key; `nil` where it has some.
    static func emptiness(of path: String, _ store: KeyStore) -> String? {
        store.count == 0 && store.forgotten.displaced == 0 ? "\(path) holds no keys: is it a key log?" : nil
    }
}

/// Keeps secrets from leaving the process in other ways than through the traffic they open.
enum SecretMemory {
    /// From here on the process leaves no core dump, and no other process of the user may look into it.
    ///
    /// The C function is `prctl` with `PR_SET_DUMPABLE`.
    static func protect() {
        _ = wingmirror_forbid_dumps()
    }

    /// Overwrites a buffer that secrets were in.
    static func wipe(_ buffer: inout [UInt8]) {
        unsafe buffer.withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { unsafe explicit_bzero(base, bytes.count) }
        }
    }
}

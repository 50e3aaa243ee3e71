// Wingmirror · Apache-2.0

package import AgentConfiguration
import TLSDecryption

/// What there is to say of a key log before it is used.
package struct KeyLogExamination {
    /// Whether the agent would start with it, and read it.
    package let isUsable: Bool
    /// What was found.
    package let detail: String
    /// What helps, when something is to be done.
    package let remedy: String?

    /// Looks at the key log of a configuration, and reads it once.
    package init(_ configuration: TLSConfiguration) {
        let file: KeyLogFile
        do {
            file = try KeyLogFile(configuration.keyLog)
        } catch {
            isUsable = false
            detail = error.explained
            remedy = "mount the volume that the gateway writes its key log to, and let this user read it"
            return
        }
        if let refusal = configuration.refusal(of: file) {
            isUsable = false
            detail = refusal
            remedy = TLSConfiguration.exposureRemedy
            return
        }
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var offset = file.offsetOfData(from: 0)
        while case let count = file.read(&buffer, at: offset), count > 0 {
            reader.octetsArrived(buffer.span.extracting(..<count))
            offset += count
        }
        SecretMemory.wipe(&buffer)
        if let problem = configuration.punchProblem(file.identity) {
            isUsable = false
            detail = problem
            remedy = "mount its volume so that this user may write to it, or leave tls.reclaim out"
            return
        }
        isUsable = true
        detail = "\(store.count) connections, \(reader.counts.malformed) lines malformed"
        remedy =
            store.count > 0
            ? nil
            : "nothing usable is in it yet: look whether the gateway's listener has the key log; see the guide DecryptTLS"
    }
}

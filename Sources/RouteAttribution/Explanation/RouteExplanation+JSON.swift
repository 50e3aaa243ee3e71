// Wingmirror · Apache-2.0

extension RouteTable {
    /// Writes the answer of `routes explain` for one request, without an end of line.
    public func write(
        _ explanation: RouteExplanation,
        id: ResourceValue,
        caseID: ResourceValue?,
        to json: inout JSONText
    ) {
        json.beginObject()
        if let caseID {
            json.key("case")
            json.value(caseID)
        }
        json.key("id")
        json.value(id)
        json.rendered(recordMembers(of: explanation.decision))
        json.key("considered")
        json.beginList()
        for entry in explanation.considered {
            let identity = routes[entry.route].identity
            json.beginObject()
            json.key(RouteRecord.objectKey(identity.object))
            json.string(identity.object.reference)
            json.key("rule")
            json.integer(identity.rule)
            json.key("match")
            if let match = identity.match { json.integer(match) } else { json.null() }
            if let failure = entry.failure {
                json.key("failed")
                json.string(failure)
            }
            json.endObject()
        }
        json.endList()
        json.endObject()
    }
}

extension JSONText {
    /// Writes a value that was read.
    public mutating func value(_ value: ResourceValue) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .integer(let number): integer(number)
        case .double(let number): double(number)
        case .string(let text): string(text)
        case .array(let entries):
            beginList()
            for entry in entries { self.value(entry) }
            endList()
        case .object(let mapping):
            beginObject()
            for member in mapping.members {
                key(member.key)
                self.value(member.value)
            }
            endObject()
        }
    }

    /// Writes a number; JSON has none for infinities and NaN, which become null.
    public mutating func double(_ number: Double) {
        if number.isFinite { rendered(Array("\(number)".utf8)) } else { null() }
    }
}

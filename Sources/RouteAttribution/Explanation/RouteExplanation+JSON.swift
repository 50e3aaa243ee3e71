// Wingmirror · Apache-2.0

public import JSONSyntax

extension RouteTable {
    /// Writes the answer of `routes explain` for one request, without an end of line.
    public func write(
        _ explanation: RouteExplanation,
        id: JSONValue,
        caseID: JSONValue?,
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

using System.Text.Json;

namespace Distill.Generation.Constraints;

/// <summary>
/// Reads a JSON Schema into nodes. What it does not know is refused by its name and place, never passed over; a schema that no value
/// satisfies is refused as well.
/// </summary>
internal sealed class SchemaReader
{
    private const int MostNodes = 20_000;
    private const int MostNesting = 64;
    private const int MostExclusive = 256;

    private readonly SchemaPointers pointers;
    private readonly SchemaShapes shapes;
    private readonly ValueReader values;
    private readonly List<SchemaNode> nodes = [];
    private readonly Dictionary<string, ReferenceNode> references = [];
    private readonly Queue<(string Pointer, ReferenceNode Node)> unread = [];
    private ReferenceNode? any;
    private int nesting;

    private SchemaReader(JsonElement root, ConstraintVocabulary? vocabulary)
    {
        pointers = new SchemaPointers(root);
        shapes = new SchemaShapes(pointers);
        Patterns = new PatternSet(vocabulary);
        Vocabulary = vocabulary;
        values = new ValueReader(this);
    }

    /// <summary>Patterns of this schema, which share one limit.</summary>
    public PatternSet Patterns { get; }

    /// <summary>What the output is written with; null where every byte can be written.</summary>
    public ConstraintVocabulary? Vocabulary { get; }

    /// <param name="vocabulary">What the output is written with: a schema that needs other bytes is refused.</param>
    /// <exception cref="ArgumentException">It is no schema, or no value satisfies it.</exception>
    /// <exception cref="NotSupportedException">Names the keyword that is not known, and where it stands.</exception>
    public static SchemaNode Read(JsonElement schema, ConstraintVocabulary? vocabulary)
    {
        try
        {
            return ReadWhole(schema, vocabulary);
        }
        catch (InvalidOperationException e) // of a text that is not Unicode
        {
            throw new ArgumentException($"The schema cannot be read: {e.Message}", nameof(schema), e);
        }
    }

    private static SchemaNode ReadWhole(JsonElement schema, ConstraintVocabulary? vocabulary)
    {
        var reader = new SchemaReader(schema, vocabulary);
        var node = reader.Read(schema, "");
        while (reader.unread.TryDequeue(out var reference))
            reference.Node.Target = reader.Read(reader.pointers.Resolve(reference.Pointer), reference.Pointer);
        new SchemaOpenings().Require(reader.references.Select(each => (each.Key, (SchemaNode)each.Value)), reader.nodes);
        reader.Settle();
        return node.Fits(0) ? node : throw new ArgumentException(
            $"No JSON value of at most {SchemaNode.MostDepth} objects and arrays within one another satisfies the schema.");
    }

    /// <summary>Any object, or any value at all.</summary>
    public static SchemaNode Anything(bool objectOnly)
    {
        var reader = new SchemaReader(default, null);
        var node = objectOnly ? reader.Add(new ObjectNode([], 0, reader.Any())) : reader.Any();
        reader.Settle();
        return node;
    }

    /// <summary>An object of a tool's name and its arguments, of any of some tools; or a list of one such object.</summary>
    /// <param name="tools">Names, and schemas of the arguments, each with references of its own.</param>
    /// <inheritdoc cref="Read(JsonElement, ConstraintVocabulary?)"/>
    public static SchemaNode Calls(
        IReadOnlyList<(string Name, JsonElement Parameters)> tools, string arguments, bool isList, ConstraintVocabulary? vocabulary)
    {
        if (tools.Count > Frame.MostReadings) throw new NotSupportedException($"More than {Frame.MostReadings} tools are not supported.");
        var reader = new SchemaReader(default, vocabulary);
        SchemaNode[] calls = [.. tools.Select(tool => reader.Call(tool.Name, tool.Parameters, arguments))];
        var call = reader.Add(new AnyOfNode(calls));
        var whole = isList ? reader.Add(new ArrayNode(call, 1, 1)) : call;
        reader.Settle();
        for (int tool = 0; tool < calls.Length; tool++)
        {
            if (!calls[tool].Fits(isList ? 1 : 0))
                throw new ArgumentException(
                    $"No arguments of the tool '{tools[tool].Name}' satisfy its schema in a call, which holds at most "
                        + $"{SchemaNode.MostDepth} objects and arrays within one another.");
        }

        return whole;
    }

    private SchemaNode Call(string tool, JsonElement parameters, string arguments)
    {
        var name = new LiteralNode([JsonSerializer.SerializeToElement(tool)]);
        RequireSpelled(name.Texts[0], $"the tool '{tool}'", "");
        return Add(new ObjectNode(
            [new PropertyNode("name", Add(name)), new PropertyNode(arguments, Arguments(tool, parameters))], required: 3, others: null));
    }

    /// <summary>Arguments are an object, whatever else their schema would take.</summary>
    private SchemaNode Arguments(string tool, JsonElement parameters)
    {
        if (parameters.ValueKind == JsonValueKind.Undefined) return Add(new ObjectNode([], 0, Any()));
        var read = Read(parameters, Vocabulary);
        var objects = new List<SchemaNode>();
        var seen = new HashSet<SchemaNode>();
        var open = new Stack<SchemaNode>([read]);
        while (open.TryPop(out var node))
        {
            if (!seen.Add(node)) continue;
            if (node is ObjectNode) objects.Add(node);
            if (node is LiteralNode { Objects: { Texts.Count: > 0 } given }) objects.Add(Add(given));
            foreach (var opening in node.Openings) open.Push(opening);
        }

        return objects.Count > 0 ? Add(new AnyOfNode(objects))
            : throw new ArgumentException($"The parameters of the tool '{tool}' are a schema of no object, and arguments are one.");
    }

    /// <exception cref="NotSupportedException">The tokenizer has no tokens for some character of the text.</exception>
    public void RequireSpelled(ReadOnlySpan<byte> text, string what, string place)
    {
        if (Vocabulary?.Spells(text) == false)
            throw new NotSupportedException(
                $"The schema at '{Shown(place)}' needs {what}, with a character that this model's tokenizer has no tokens for.");
    }

    public SchemaNode Read(JsonElement schema, string place)
    {
        if (schema.ValueKind == JsonValueKind.True) return Any();
        if (schema.ValueKind == JsonValueKind.False) return Add(new AnyOfNode([]));
        if (schema.ValueKind != JsonValueKind.Object)
            throw new ArgumentException($"The schema at '{Shown(place)}' is neither an object nor true or false.");
        if (++nesting > MostNesting) throw new ArgumentException($"The schema nests more than {MostNesting} deep at '{Shown(place)}'.");
        RequireKnown(schema, place);
        var node = Refers(schema, place) ?? Combines(schema, place) ?? values.Read(schema, place);
        nesting--;
        return node;
    }

    /// <summary>Keeps a node, so that its depth is computed.</summary>
    public SchemaNode Add(SchemaNode node)
    {
        if (nodes.Count >= MostNodes) throw new ArgumentException($"The schema has more than {MostNodes} parts.");
        nodes.Add(node);
        return node;
    }

    /// <summary>Any value.</summary>
    public SchemaNode Any()
    {
        if (any is not null) return any;
        any = new ReferenceNode();
        Add(any);
        JsonElement words = JsonSerializer.SerializeToElement(new bool?[] { true, false, null });
        any.Target = Add(new AnyOfNode(
        [
            Add(new StringNode(0, null)), Add(new NumberNode(isInteger: false, range: null)), Add(new LiteralNode(words.EnumerateArray())),
            Add(new ArrayNode(any, 0, null)), Add(new ObjectNode([], 0, any)),
        ]));
        return any;
    }

    public static NotSupportedException Refused(string place, string what) =>
        new($"The schema at '{Shown(place)}' uses {what}, which constrained output does not support.");

    private void Settle()
    {
        // Both ways, because depth may have to come from either side of a long list.
        for (bool grew = true; grew;)
        {
            grew = false;
            foreach (var node in nodes) grew |= node.Settle();
            for (int i = nodes.Count - 1; i >= 0; i--) grew |= nodes[i].Settle();
        }
    }

    private static string Shown(string place) => "#" + place;

    private static void RequireKnown(JsonElement schema, string place)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            if (!SchemaKeywords.Known.Contains(keyword.Name) && !SchemaKeywords.Annotations.Contains(keyword.Name))
                throw Refused(place, $"the keyword '{keyword.Name}'");
        }
    }

    private SchemaNode? Refers(JsonElement schema, string place)
    {
        if (!schema.TryGetProperty("$ref", out var reference)) return null;
        RequireAlone(schema, place, "$ref");
        string pointer = reference.ValueKind == JsonValueKind.String ? reference.GetString()! : "";
        if (!pointer.StartsWith('#') || (pointer.Length > 1 && pointer[1] != '/'))
            throw Refused(place, $"the reference '{pointer}'; one within the schema, '#/$defs/…', is known: anything else");
        pointer = pointer[1..];
        if (!references.TryGetValue(pointer, out var node))
        {
            references[pointer] = node = new ReferenceNode();
            Add(node);
            unread.Enqueue((pointer, node));
        }

        return node;
    }

    private SchemaNode? Combines(JsonElement schema, string place)
    {
        foreach (string keyword in (string[])["anyOf", "oneOf", "allOf"])
        {
            if (!schema.TryGetProperty(keyword, out var list)) continue;
            RequireAlone(schema, place, keyword);
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
                throw new ArgumentException($"'{keyword}' of the schema at '{Shown(place)}' is not a list of schemas.");
            if (keyword == "allOf" && list.GetArrayLength() > 1) throw Refused(place, "'allOf' of more than one schema");
            if (keyword == "oneOf") RequireDistinguishable(list, place);
            SchemaNode[] read = [.. list.EnumerateArray().Select((each, index) => Read(each, $"{place}/{keyword}/{index}"))];
            return Add(new AnyOfNode(Joined(read)));
        }

        return null;
    }

    /// <summary>Values that are given one by one are read as one list of values.</summary>
    private SchemaNode[] Joined(SchemaNode[] alternatives)
    {
        LiteralNode[] literals = [.. alternatives.OfType<LiteralNode>()];
        return literals.Length < 2 ? alternatives
            : [.. alternatives.Where(each => each is not LiteralNode), Add(LiteralNode.Of(literals))];
    }

    private void RequireDistinguishable(JsonElement list, string place)
    {
        if (list.GetArrayLength() > MostExclusive) throw Refused(place, $"'oneOf' of more than {MostExclusive} schemas; 'anyOf' with them");
        JsonElement[] alternatives = [.. list.EnumerateArray()];
        for (int i = 0; i < alternatives.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (!shapes.AreDisjoint(alternatives[i], alternatives[j]))
                    throw Refused(place, $"'oneOf' whose alternatives {j} and {i} may both hold; 'anyOf' with them");
            }
        }
    }

    private static void RequireAlone(JsonElement schema, string place, string keyword)
    {
        foreach (var other in schema.EnumerateObject())
        {
            if (other.Name != keyword && other.Name is not ("$defs" or "definitions") && !SchemaKeywords.Annotations.Contains(other.Name))
                throw Refused(place, $"'{other.Name}' beside '{keyword}'");
        }
    }
}

/// <summary>Finds what JSON pointers (RFC 6901) name. Not thread-safe.</summary>
internal sealed class SchemaPointers(JsonElement root)
{
    private readonly Dictionary<string, JsonElement> found = [];

    /// <exception cref="ArgumentException">There is nothing there.</exception>
    public JsonElement Resolve(string pointer)
    {
        if (!found.TryGetValue(pointer, out var element)) found[pointer] = element = Find(pointer);
        return element;
    }

    private JsonElement Find(string pointer)
    {
        var at = root;
        foreach (string part in pointer.Split('/').Skip(1))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/").Replace("~0", "~");
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(name, out var member)) at = member;
            else if (at.ValueKind == JsonValueKind.Array && int.TryParse(name, out int index) && index >= 0 && index < at.GetArrayLength())
                at = at[index];
            else throw new ArgumentException($"The schema refers to '#{pointer}', but there is no '{name}' there.");
        }

        return at;
    }
}

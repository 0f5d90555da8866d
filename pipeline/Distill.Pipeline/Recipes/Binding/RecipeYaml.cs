using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>
/// YAML text → <see cref="RecipeNode"/>, from the parser's events, so that nothing is built before its bound is checked:
/// size, depth, nodes (aliases counted at every use), no tags, no repeated keys, one document. No type is ever chosen by the file.
/// </summary>
internal static class RecipeYaml
{
    private const int MaxCharacters = 256 * 1024;
    private const int MaxDepth = 16;
    private const int MaxNodes = 20_000;

    /// <param name="file">What a message calls the text.</param>
    /// <exception cref="InvalidRecipeException">The text is not such a document.</exception>
    public static RecipeNode Parse(string text, string file, RecipeSource source)
    {
        if (text.Length > MaxCharacters)
            throw Fault(file, "", $"{text.Length:N0} characters; a recipe has at most {MaxCharacters:N0}", "give the path of a recipe");
        try
        {
            return new Reading(new Parser(new StringReader(text)), file, source).Document();
        }
        catch (YamlException exception)
        {
            throw TabFrom(text, exception) is { } line
                ? Fault(file, source.Place(line), "a tab; YAML indents with spaces", "replace the tabs of this line by spaces")
                : Fault(file, source.Place(exception.Start.Line), $"not valid YAML: {Spoken(exception)}", "mend the syntax at this line");
        }
        catch (InvalidOperationException)
        {
            // YamlDotNet 18.1's scanner throws this on some plain scalars that end in a control character or "#".
            throw Fault(file, source.Fixed ?? source.Prefix.TrimEnd(), "not valid YAML",
                "look for a stray # or control character within { } or [ ]");
        }
    }

    /// <summary>The line with a tab in its indentation that the parser stumbled on; null where the fault is another.</summary>
    private static long? TabFrom(string text, YamlException exception)
    {
        bool isSaid = exception.Message.Contains("tab", StringComparison.Ordinal); // then its place may be where the mapping begins
        long line = 0;
        foreach (string found in text.Split('\n'))
        {
            line++;
            bool isIndented = found[..(found.Length - found.TrimStart().Length)].Contains('\t', StringComparison.Ordinal);
            if (isIndented && line >= exception.Start.Line && (isSaid || line <= exception.Start.Line + 1)) return line;
        }

        return null;
    }

    private static string Spoken(YamlException exception)
    {
        string message = exception.Message;
        // It begins with line and column, which are said already.
        int end = message.StartsWith('(') ? message.IndexOf("): ", StringComparison.Ordinal) : -1;
        return (end < 0 ? message : message[(end + 3)..]).TrimEnd('.');
    }

    private static InvalidRecipeException Fault(string file, string place, string fault, string remedy) =>
        new(file, [new RecipeProblem("", place, "", fault, remedy)]);

    private sealed class Reading(Parser parser, string file, RecipeSource source)
    {
        private readonly Dictionary<AnchorName, RecipeNode> anchors = [];

        public RecipeNode Document()
        {
            parser.Consume<StreamStart>();
            if (!parser.Accept<DocumentStart>(out _)) return new RecipeMapping([], source.Place(1), source);
            parser.Consume<DocumentStart>();
            var root = Node(0);
            parser.Consume<DocumentEnd>();
            if (parser.Accept<DocumentStart>(out var second)) throw Refuse(second, "a second document", "keep one recipe to a file");
            return root;
        }

        private RecipeNode Node(int depth)
        {
            if (depth > MaxDepth) throw Refuse(parser.Current!, $"nested deeper than {MaxDepth}", "flatten it");
            if (parser.TryConsume<AnchorAlias>(out var alias))
                return anchors.TryGetValue(alias.Value, out var known) ? known
                    : throw Refuse(alias, $"alias *{alias.Value} has no anchor", "define it before using it");
            var start = parser.Current as NodeEvent ?? throw Refuse(parser.Current!, "a value is missing", "write one");
            if (!start.Tag.IsEmpty && !start.Tag.IsNonSpecific) throw Refuse(start, $"tag {start.Tag}", "recipes have no tags: remove it");
            RecipeNode node = start switch
            {
                MappingStart => Mapping(depth),
                SequenceStart => Sequence(depth),
                _ => Scalar(),
            };
            if (node.Size > MaxNodes) throw Refuse(start, $"more than {MaxNodes:N0} values once aliases are followed", "shorten it");
            if (!start.Anchor.IsEmpty) anchors[start.Anchor] = node;
            return node;
        }

        private RecipeScalar Scalar()
        {
            var scalar = parser.Consume<Scalar>();
            return new RecipeScalar(scalar.Value, scalar.Style != ScalarStyle.Plain, Place(scalar), source);
        }

        private RecipeSequence Sequence(int depth)
        {
            var start = parser.Consume<SequenceStart>();
            var items = new List<RecipeNode>();
            while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(Node(depth + 1));
            return new RecipeSequence(items, Place(start), source);
        }

        private RecipeMapping Mapping(int depth)
        {
            var start = parser.Consume<MappingStart>();
            var entries = new List<KeyValuePair<string, RecipeNode>>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (!parser.TryConsume<Scalar>(out var key)) throw Refuse(parser.Current!, "a key that is not plain text",
                    "write key: value");
                if (!seen.Add(key.Value)) throw Refuse(key, $"key '{key.Value}' is written twice", "keep one of them");
                entries.Add(new(key.Value, Node(depth + 1)));
            }

            return new RecipeMapping(entries, Place(start), source);
        }

        private string Place(ParsingEvent at) => source.Place(at.Start.Line);

        private InvalidRecipeException Refuse(ParsingEvent at, string fault, string remedy) => Fault(file, Place(at), fault, remedy);
    }
}

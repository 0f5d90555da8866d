using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Generation.Constraints;

/// <summary>
/// Output that is JSON: any object, or what a JSON Schema allows. A pushdown automaton over the bytes of the tokenizer's tokens decides
/// which of them may follow (as in Willard and Louf 2023, and llguidance); what a state allows is computed once and kept. Where the model
/// marks its thinking, it thinks freely first. Added tokens stand in no output but where the constraint itself writes them.
/// Every JSON value that the schema allows is reachable in one spelling of its names and literals, within these bounds: an object that
/// declares properties has no others unless <c>additionalProperties</c> says so, 32 objects and arrays inside one another, 18 digits
/// before a number's point and 20 after it, exponents of two digits, no escaped surrogates, and white space of one blank or one line's
/// end with its indentation.
/// </summary>
public sealed class JsonConstraint : ITokenConstraint
{
    private readonly Tokenizer tokenizer;
    private readonly ConstraintVocabulary vocabulary;
    private readonly Frame[] starts;
    private readonly int open, close;

    private JsonConstraint(Tokenizer tokenizer, params Frame[] starts)
    {
        this.tokenizer = tokenizer;
        this.starts = starts;
        vocabulary = ConstraintVocabulary.Of(tokenizer);
        (open, close) = (ThinkMarks.IdIn(tokenizer, ThinkMarks.Open), ThinkMarks.IdIn(tokenizer, ThinkMarks.Close));
        if (open < 0 || close < 0) open = close = -1;
    }

    /// <summary>Any JSON object.</summary>
    /// <exception cref="NotSupportedException">The tokenizer's tokens have no text of their own; says why.</exception>
    public static JsonConstraint AnyObject(Tokenizer tokenizer) => new(tokenizer, Whole(SchemaReader.Anything(objectOnly: true)));

    /// <summary>What a JSON Schema allows.</summary>
    /// <exception cref="ArgumentException">It is no schema, or no value satisfies it.</exception>
    /// <exception cref="NotSupportedException">
    /// Names the keyword or value that is not supported, and where it stands; or the tokenizer is not, as with
    /// <see cref="AnyObject"/>.
    /// </exception>
    public static JsonConstraint OfSchema(JsonElement schema, Tokenizer tokenizer) =>
        new(tokenizer, Whole(SchemaReader.Read(schema, ConstraintVocabulary.Of(tokenizer))));

    /// <summary>
    /// One call of a tool, as a model writes it: an object of its name and its arguments between two texts, or in a list between them.
    /// </summary>
    /// <param name="tools">Names, and schemas of the arguments.</param>
    /// <param name="arguments">What the arguments are called.</param>
    /// <param name="before">Added tokens in it are those tokens, as in <paramref name="after"/>.</param>
    /// <param name="otherwise">What the output may be instead.</param>
    /// <inheritdoc cref="OfSchema"/>
    internal static JsonConstraint OfCalls(
        IReadOnlyList<(string Name, JsonElement Parameters)> tools, string arguments, string before, string after, bool isList,
        Tokenizer tokenizer, JsonConstraint? otherwise = null)
    {
        SchemaNode call = SchemaReader.Calls(tools, arguments, isList, ConstraintVocabulary.Of(tokenizer));
        Frame start = Written(before, tokenizer, new ValueFrame(call, 0, default, Written(after, tokenizer, new EndFrame())));
        return new JsonConstraint(tokenizer, [start, .. otherwise?.starts ?? []]);
    }

    /// <inheritdoc/>
    public ITokenConstraintState Begin(IReadOnlyList<int> prompt, IReadOnlyList<int> stopTokens) => new State(this, prompt, stopTokens);

    private static ValueFrame Whole(SchemaNode node) => new(node, 0, default, new EndFrame());

    /// <summary>A text that must be written before the rest.</summary>
    private static Frame Written(string text, Tokenizer tokenizer, Frame rest)
    {
        foreach (int token in tokenizer.Encode(text, allowSpecial: true).Reverse())
            rest = tokenizer.BytesOf(token) is { } bytes ? new TextFrame(bytes, rest) : new MarkFrame(token, rest);
        return rest;
    }

    private static void Allow(Span<ulong> set, int token) => set[token >> 6] |= 1UL << token;

    private sealed class State : ITokenConstraintState
    {
        private readonly JsonConstraint constraint;
        private readonly IReadOnlyList<int> stopTokens;
        private readonly ulong[] allowed;
        private List<Frame> frames;
        private bool thinking, mayThink, isFresh;

        public State(JsonConstraint constraint, IReadOnlyList<int> prompt, IReadOnlyList<int> stopTokens)
        {
            this.constraint = constraint;
            this.stopTokens = stopTokens;
            int words = stopTokens.Append(constraint.vocabulary.Words * 64 - 1).Max() / 64 + 1;
            allowed = new ulong[words];
            frames = [.. constraint.starts];
            if (constraint.open < 0) return;
            int opened = LastOf(prompt, constraint.open), closed = LastOf(prompt, constraint.close);
            thinking = opened > closed;
            mayThink = !thinking && !(closed >= 0 && IsBlank(prompt, closed + 1));
        }

        public ReadOnlySpan<ulong> Allowed
        {
            get
            {
                if (!isFresh) Compute();
                isFresh = true;
                return allowed;
            }
        }

        public void Advance(int token)
        {
            isFresh = false;
            if (thinking || (mayThink && token == constraint.open))
            {
                (thinking, mayThink) = (token != constraint.close, false);
                return;
            }

            mayThink = false;
            var after = new List<Frame>();
            byte[] bytes = constraint.tokenizer.BytesOf(token) ?? [];
            foreach (var frame in frames)
            {
                if (frame is MarkFrame mark && mark.Token == token) after.Add(mark.Rest);
                else if (bytes.Length > 0) after.AddRange(TrieWalk.Read(frame, bytes));
            }

            if (after.Count == 0) throw new InvalidOperationException($"Token {token} was not allowed where the output stands.");
            TrieWalk.Merge(after);
            frames = after;
        }

        private void Compute()
        {
            if (thinking)
            {
                // Its thoughts are its own, but they are not the end.
                Array.Fill(allowed, ulong.MaxValue);
                foreach (int token in stopTokens) allowed[token >> 6] &= ~(1UL << token);
                return;
            }

            Array.Clear(allowed);
            foreach (var frame in frames) constraint.vocabulary.Masks.Add(frame, allowed);
            if (mayThink) Allow(allowed, constraint.open);
            if (frames.Any(frame => frame.CanEnd))
            {
                foreach (int token in stopTokens) Allow(allowed, token);
            }

            if (!allowed.AsSpan().ContainsAnyExcept(0UL))
                throw new NotSupportedException(
                    "No token continues what the constraint allows: this model's tokenizer has none for the characters that would follow.");
        }

        private bool IsBlank(IReadOnlyList<int> prompt, int from) =>
            string.IsNullOrWhiteSpace(constraint.tokenizer.Decode([.. prompt.Skip(from)], skipSpecial: false));

        private static int LastOf(IReadOnlyList<int> tokens, int wanted)
        {
            for (int at = tokens.Count - 1; at >= 0; at--)
            {
                if (tokens[at] == wanted) return at;
            }

            return -1;
        }
    }
}

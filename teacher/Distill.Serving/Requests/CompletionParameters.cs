using System.Text.Json;
using Distill.Serving.Protocol;
using Distill.Tokenization;

namespace Distill.Serving.Requests;

/// <summary>A prompt as it was given and as it is read.</summary>
internal sealed record GivenPrompt(string Text, int[] Tokens);

/// <summary>What <c>/v1/completions</c> is asked.</summary>
/// <param name="Top">Alternatives to report at each token; null reports nothing of tokens.</param>
internal sealed record CompletionParameters(
    GenerationSettings Settings, IReadOnlyList<GivenPrompt> Prompts, int MaxTokens, bool Echo, int? Top)
{
    private const int DefaultMaxTokens = 16, MostTop = 20, MostPrompts = 4096;

    /// <summary>Whether the prompt's own tokens are reported.</summary>
    public bool Scores => Echo && Top is not null;

    public static CompletionParameters Read(RequestParameters parameters, Tokenizer tokenizer)
    {
        var settings = GenerationSettings.Read(parameters);
        bool echo = parameters.Flag("echo");
        int? top = parameters.Integer("logprobs", 0, MostTop);
        int most = parameters.Integer("max_tokens", 0, int.MaxValue) ?? DefaultMaxTokens;
        bool addSpecial = parameters.Flag("add_special_tokens", otherwise: true);
        parameters.OnlyNeutral("best_of", value => value.ValueKind == JsonValueKind.Number && value.GetDouble() == settings.Count);
        parameters.OnlyNeutral("suffix", value => value.ValueKind == JsonValueKind.String && value.GetString()!.Length == 0);
        var prompts = PromptsOf(parameters.Required("prompt"), tokenizer, addSpecial);
        parameters.RefuseOthers();
        if (most == 0 && !echo) throw ApiException.Invalid("max_tokens", "'max_tokens' 0 asks for nothing, except with 'echo': true.");
        if (settings.Stream && prompts.Count > 1)
            throw ApiException.Invalid("stream", "'stream' takes one prompt.", "unsupported_parameter");
        if (settings.Stream && echo && top is not null)
            throw ApiException.Invalid(
                "stream", "'stream' does not report the log-probabilities of an echoed prompt.", "unsupported_parameter");
        return new CompletionParameters(settings, prompts, most, echo, top);
    }

    /// <summary>A text, ids, or several of either.</summary>
    private static List<GivenPrompt> PromptsOf(JsonElement value, Tokenizer tokenizer, bool addSpecial)
    {
        bool one = value.ValueKind == JsonValueKind.String
            || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 && value[0].ValueKind == JsonValueKind.Number);
        if (!one && (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > MostPrompts)) throw Invalid();
        return [.. (one ? [value] : value.EnumerateArray().ToArray()).Select(item => PromptOf(item, tokenizer, addSpecial))];
    }

    // Whoever writes a prompt by hand writes its control tokens too, as a client does that has rendered a chat template.
    private static GivenPrompt PromptOf(JsonElement value, Tokenizer tokenizer, bool addSpecial)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            string text = value.GetString()!;
            return new GivenPrompt(
                text, addSpecial ? tokenizer.EncodeWhole(text, allowSpecial: true) : tokenizer.Encode(text, allowSpecial: true));
        }

        if (value.ValueKind != JsonValueKind.Array) throw Invalid();
        int[] ids = [.. value.EnumerateArray()
            .Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) ? id : throw Invalid())];
        return new GivenPrompt(tokenizer.Decode(ids), ids);
    }

    private static ApiException Invalid() =>
        ApiException.Invalid("prompt", $"'prompt' must be a string, an array of token ids, or an array of up to {MostPrompts} of either.");
}

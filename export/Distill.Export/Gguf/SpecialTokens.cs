using Distill.Architecture;
using Distill.Tokenization.Files;

namespace Distill.Export.Gguf;

/// <summary>The ids that begin, end and pad, under llama.cpp's keys.</summary>
internal static class SpecialTokens
{
    private const string At = "tokenizer.ggml";

    // llama.cpp ends at these whatever the keys say (src/llama-vocab.cpp).
    private static readonly HashSet<string> s_known =
    [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "<EOT>", "<|end_of_text|>",
    ];

    // And at these, depending on its version.
    private static readonly HashSet<string> s_perhaps =
    [
        "</s>", "<eos>", "_<EOT>", "[EOT]", "[EOS]", "<end_of_utterance>", "<|return|>", "<|call|>", "<|calls|>", "<|flush|>", "<turn|>",
        "<|tool_response>", "<｜end▁of▁sentence｜>", "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>",
        "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
    ];

    private static readonly HashSet<string> s_endOfTurn = ["<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>"];

    /// <returns>At which other tokens llama.cpp ends a reply; null for none.</returns>
    /// <exception cref="InvalidDataException">llama.cpp has no place for one of them.</exception>
    public static string? Describe(GgufMetadata metadata, TokenizerDefinition tokenizer, TokenList tokens, DecoderArchitecture a)
    {
        int? begin = a.BosTokenId, last = null;
        bool begins = false;
        switch (tokenizer.PostProcessor.Parts)
        {
            case [null]:
                break;
            case [{ } id, null]:
                (begin, begins) = (id, true);
                break;
            case [{ } id, null, { } end]:
                (begin, begins, last) = (id, true, end);
                break;
            case [null, { } end]:
                last = end;
                break;
            default:
                throw new InvalidDataException("its post-processor puts more around a text than a token that begins and one that ends it");
        }

        if (last is { } added && added != a.EosTokenId)
            throw new InvalidDataException(
                $"its post-processor ends a text with id {added}, and llama.cpp with the main end token {a.EosTokenId}");
        if (begin is { } first && first < tokens.Texts.Count) metadata.Add($"{At}.bos_token_id", first);
        metadata.Add($"{At}.add_bos_token", begins);
        metadata.Add($"{At}.add_eos_token", last is not null);
        EndTokens(metadata, tokens, a.EndTokenIds);
        int unknown = tokens.Kinds.ToList().IndexOf(TokenKind.Unknown);
        if (unknown >= 0) metadata.Add($"{At}.unknown_token_id", unknown);
        if (a.PadTokenId is { } pad && pad < tokens.Texts.Count) metadata.Add($"{At}.padding_token_id", pad);
        string[] others = [.. tokens.Texts.Where((text, id) =>
            (s_known.Contains(text) || s_perhaps.Contains(text)) && !a.EndTokenIds.Contains(id))];
        return others.Length == 0 ? null
            : "llama.cpp knows end tokens by name, and takes these for control tokens that end a reply too: "
                + $"'{string.Join("', '", others)}'.";
    }

    // There are three keys: the main end token, the end of a turn, and that of a message to a tool.
    private static void EndTokens(GgufMetadata metadata, TokenList tokens, TokenIdList ends)
    {
        metadata.Add($"{At}.eos_token_id", ends[0]);
        var rest = ends.Skip(1).ToList();
        int? turn = Take(rest, id => s_endOfTurn.Contains(tokens.Texts[id])) ?? Take(rest, id => !s_known.Contains(tokens.Texts[id]));
        if (turn is { } id) metadata.Add($"{At}.eot_token_id", id);
        if (Take(rest, id => !s_known.Contains(tokens.Texts[id])) is { } message) metadata.Add($"{At}.eom_token_id", message);
        if (rest.Where(id => !s_known.Contains(tokens.Texts[id])).ToList() is { Count: > 0 } left)
            throw new InvalidDataException($"llama.cpp has keys for three end tokens, and beyond them this model ends with "
                + string.Join(", ", left.Select(id => $"'{tokens.Texts[id]}'")));
    }

    private static int? Take(List<int> ids, Predicate<int> accepts)
    {
        int at = ids.FindIndex(accepts);
        if (at < 0) return null;
        int id = ids[at];
        ids.RemoveAt(at);
        return id;
    }
}

using System.Text.Json;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Serving;

/// <summary>Raw completions over HTTP, against the engine's and the scorer's.</summary>
public sealed class CompletionEndpointTests
{
    private const string Path = "/v1/completions";

    [Fact]
    public async Task An_echoed_prompt_is_scored_as_the_scorer_does()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        int[][] prompts = [.. new[] { "Tom has 3 apples and buys 4 more.", "What is 3 + 4?", "12 é😀 17" }
            .Select(text => TinyReasoner.Tokenizer.Encode(text))];
        // What an evaluation harness sends for log-likelihoods: ids, one token more, echo, the best alternative.
        var body = await server.AskAsync(
            Path, new { prompt = prompts, max_tokens = 1, temperature = 0, logprobs = 1, echo = true, seed = 1 });
        using var scorer = new TokenScorer(model);
        for (int i = 0; i < prompts.Length; i++)
        {
            var reported = body.GetProperty("choices")[i].GetProperty("logprobs");
            double?[] scores = [.. reported.GetProperty("token_logprobs").EnumerateArray()
                .Select(item => item.ValueKind == JsonValueKind.Null ? (double?)null : item.GetDouble())];
            var expected = scorer.Score(prompts[i], 1);
            scores.Length.ShouldBe(prompts[i].Length + 1);
            scores[0].ShouldBeNull();
            for (int at = 1; at < prompts[i].Length; at++)
            {
                scores[at]!.Value.ShouldBe(expected.LogProbabilities[at - 1], 2e-6);
                var best = reported.GetProperty("top_logprobs")[at].EnumerateObject().Select(item => item.Value.GetDouble()).Max();
                best.ShouldBe(expected.Top!.LogProbabilities[at - 1], 2e-6);
                (scores[at] == best).ShouldBe(expected.Top.Ids[at - 1] == prompts[i][at]); // how a harness tells greedy from not
            }

            reported.GetProperty("top_logprobs")[0].ValueKind.ShouldBe(JsonValueKind.Null);
            reported.GetProperty("tokens").GetArrayLength().ShouldBe(scores.Length);
        }
    }

    [Fact]
    public async Task Only_the_prompt_back_generates_nothing()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        var scored = await server.AskAsync(Path, new { prompt = "3 + 4 = 7", max_tokens = 0, logprobs = 0, echo = true });
        scored.GetProperty("choices")[0].GetProperty("text").GetString().ShouldBe("3 + 4 = 7");
        scored.GetProperty("choices")[0].GetProperty("finish_reason").GetString().ShouldBe("length");
        var reported = scored.GetProperty("choices")[0].GetProperty("logprobs");
        string[] tokens = [.. reported.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()!)];
        string.Concat(tokens).ShouldBe("3 + 4 = 7");
        int[] offsets = [.. reported.GetProperty("text_offset").EnumerateArray().Select(item => item.GetInt32())];
        for (int i = 0; i < tokens.Length; i++) "3 + 4 = 7"[offsets[i]..].ShouldStartWith(tokens[i]);
        scored.GetProperty("usage").GetProperty("completion_tokens").GetInt32().ShouldBe(0);
        (await server.AskAsync(Path, new { prompt = "3 + 4", max_tokens = 0, echo = true })).GetProperty("choices")[0]
            .GetProperty("text").GetString().ShouldBe("3 + 4");
    }

    [Fact]
    public async Task A_prompt_as_text_reads_control_tokens_and_equals_its_ids()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        string prompt = $"<|user|>{TinyReasoner.Question}<|end|><|assistant|>";
        int[] ids = TinyReasoner.Encoder.EncodePrompt([Tokenization.ChatMessage.User(TinyReasoner.Question)]);
        var byText = await server.AskAsync(Path, new { prompt, max_tokens = 200, temperature = 0 });
        var byIds = await server.AskAsync(Path, new { prompt = ids, max_tokens = 200, temperature = 0 });
        byText.GetProperty("choices").GetRawText().ShouldBe(byIds.GetProperty("choices").GetRawText());
        byText.GetProperty("usage").GetProperty("prompt_tokens").GetInt32().ShouldBe(ids.Length);
        var chat = await server.AskAsync("/v1/chat/completions", new { messages = TinyReasoner.Messages(), temperature = 0 });
        byText.GetProperty("choices")[0].GetProperty("text").GetString()!.ShouldEndWith(
            chat.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
    }

    [Theory]
    [InlineData(null), InlineData(0), InlineData(2)]
    public async Task A_stream_joined_is_the_whole_completion(int? logprobs)
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        object Body(bool stream) => new { prompt = "What is 3 + 4?", temperature = 1, seed = 3, n = 2, max_tokens = 30, logprobs, stream };
        var whole = await server.AskAsync(Path, Body(stream: false));
        var pieces = await server.StreamAsync(Path, Body(stream: true));
        for (int index = 0; index < 2; index++)
        {
            var choice = whole.GetProperty("choices")[index];
            var own = pieces.SelectMany(piece => piece.GetProperty("choices").EnumerateArray())
                .Where(item => item.GetProperty("index").GetInt32() == index).ToList();
            string.Concat(own.Select(item => item.GetProperty("text").GetString())).ShouldBe(choice.GetProperty("text").GetString());
            own[^1].GetProperty("finish_reason").GetString().ShouldBe(choice.GetProperty("finish_reason").GetString());
            if (logprobs is null) continue;
            foreach (string part in (string[])["tokens", "token_logprobs", "top_logprobs", "text_offset"])
                own.Where(item => item.GetProperty("logprobs").ValueKind == JsonValueKind.Object)
                    .SelectMany(item => item.GetProperty("logprobs").GetProperty(part).EnumerateArray()).Select(item => item.GetRawText())
                    .ShouldBe(choice.GetProperty("logprobs").GetProperty(part).EnumerateArray().Select(item => item.GetRawText()));
        }
    }

    [Fact]
    public async Task Extensions_and_biases_reach_the_sampler()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        int[] prompt = TinyReasoner.Tokenizer.Encode("What is 3 + 4?");
        int forced = TinyReasoner.Tokenizer.IdOf("5")!.Value; // which it would not say
        var sampling = new SamplingOptions
        {
            Temperature = 1.5, TopK = 20, TopP = 0.9, MinP = 0.01, RepetitionPenalty = 1.1,
            LogitBias = new Dictionary<int, float> { [forced] = 12 },
        };
        var expected = new BatchGenerator(model).Complete([new GenerationRequest
        {
            Prompt = prompt, MaxNewTokens = 25, Sampling = sampling, Seeds = [9], StopTokens = [TinyReasoner.Encoder.EndToken],
        }])[0][0];
        var body = await server.AskAsync(Path, new
        {
            prompt, max_tokens = 25, temperature = 1.5, top_k = 20, top_p = 0.9, min_p = 0.01, repetition_penalty = 1.1, seed = 9,
            logit_bias = new Dictionary<string, double> { [$"{forced}"] = 12 },
        });
        body.GetProperty("choices")[0].GetProperty("text").GetString()
            .ShouldBe(TinyReasoner.Tokenizer.Decode([.. expected.Tokens], skipSpecial: true));
        var plain = await server.AskAsync(Path, new { prompt, max_tokens = 25, temperature = 1.5, seed = 9 });
        plain.GetProperty("choices")[0].GetProperty("text").GetString()
            .ShouldNotBe(body.GetProperty("choices")[0].GetProperty("text").GetString());
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public async Task A_stop_string_across_tokens_ends_the_text_before_it(bool stream)
    {
        // One token per character: "abcabxyz…"; "bxy" spans three of them, and the first "ab" might have begun it.
        using var model = Spelling("abcabxyzabxyz");
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        var body = new { prompt = "p", temperature = 0, max_tokens = 12, stop = new[] { "bxy", "zz" }, stream };
        var choices = stream ? (await server.StreamAsync(Path, body)).Select(piece => piece.GetProperty("choices")[0]).ToList()
            : [(await server.AskAsync(Path, body)).GetProperty("choices")[0]];
        string.Concat(choices.Select(choice => choice.GetProperty("text").GetString())).ShouldBe("abca");
        choices[^1].GetProperty("finish_reason").GetString().ShouldBe("stop");

        var chat = await server.AskAsync(
            "/v1/chat/completions", new { messages = TinyReasoner.Messages("p"), temperature = 0, max_tokens = 12, stop = "bxy" });
        chat.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString().ShouldBe("abca");
    }

    [Fact]
    public async Task A_character_of_several_tokens_is_streamed_whole()
    {
        using var model = Spelling("a😀é");
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        var pieces = await server.StreamAsync(Path, new { prompt = "p", temperature = 0, max_tokens = 7, stream = true, logprobs = 0 });
        string[] texts = [.. pieces.Select(piece => piece.GetProperty("choices")[0].GetProperty("text").GetString()!)];
        texts.Where(text => text.Length > 0).ShouldBe(["a", "😀", "é"]);
        string[] tokens =
        [
            .. pieces.Select(piece => piece.GetProperty("choices")[0].GetProperty("logprobs"))
                .Where(reported => reported.ValueKind == JsonValueKind.Object)
                .SelectMany(reported => reported.GetProperty("tokens").EnumerateArray()).Select(token => token.GetString()!),
        ];
        tokens[0].ShouldBe("a");
        tokens[1..].ShouldAllBe(token => token.StartsWith("token_id:", StringComparison.Ordinal)); // parts of a character are no text
    }

    /// <summary>Writes a text, token by token, after any prompt, and then its end token.</summary>
    private static ScriptedTokenModel Spelling(string text)
    {
        int[] tokens = TinyTokenizer.Tokens(text);
        return new ScriptedTokenModel(TinyTokenizer.Tokenizer.VocabularySize, 256, (sequence, logits) =>
        {
            int written = Math.Min(tokens.Length, sequence.Length);
            while (!sequence.EndsWith(tokens.AsSpan(0, written))) written--;
            logits.Clear();
            logits[written < tokens.Length ? tokens[written] : TinyTokenizer.Encoder.EndToken] = 9;
        });
    }
}

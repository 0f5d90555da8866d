using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>Prompts read in one run are, bit by bit, prompts read one after another: their logits, and every step that follows.</summary>
public sealed class JointPromptTests
{
    private const int Slots = 6, Capacity = 96;

    public static TheoryData<string> Names => ReferenceCase.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_joint_run_gives_the_bits_of_single_runs(string name)
    {
        var reference = new ReferenceCase(name);
        using var model = reference.Load();
        using var joint = (IPromptSession)model.Open(Slots, Capacity);
        bool ready = model.Signature.SelectsRows && !model.Signature.Layout.Grows && model.Signature.Layout.Windows is null;
        joint.MostJointPlaces.ShouldBe(ready ? 256 : 0);
        if (!ready) return;

        double tolerance = reference.RowTolerance;
        using var single = model.Open(Slots, Capacity);
        foreach (int[] lengths in (int[][])[[40, 32], [16, 24, 9, 20], [1, 5, 3], [1, 1], [30, 30, 30], [15, 18, 2, 8, 19],
            [48, 34], [47, 31]])
        {
            lengths.ShouldAllBe(length => joint.CanJoin(length));
            int[][] prompts = [.. lengths.Select((length, i) => Tokens(model, length, i))];
            float[] together = new float[(prompts.Length + 1) * model.VocabularySize], alone = new float[together.Length];
            foreach (var session in (IDecodeSession[])[joint, single])
            {
                for (int slot = 0; slot < Slots; slot++) session.Clear(slot);
                session.Prefill(0, Tokens(model, 11, 9), session == joint ? together.AsSpan(0, model.VocabularySize)
                    : alone.AsSpan(0, model.VocabularySize));
            }

            joint.Prefill(1, prompts, together.AsSpan(model.VocabularySize));
            for (int i = 0; i < prompts.Length; i++)
                single.Prefill(1 + i, prompts[i], alone.AsSpan((1 + i) * model.VocabularySize, model.VocabularySize));
            Difference(together, alone).ShouldBeLessThanOrEqualTo(tolerance, $"{name}, prompts of {string.Join(", ", lengths)}");
            for (int step = 0; step < 3; step++)
            {
                joint.Step(Tokens(model, prompts.Length + 1, step), together);
                single.Step(Tokens(model, prompts.Length + 1, step), alone);
                Difference(together, alone).ShouldBeLessThanOrEqualTo(
                    tolerance, $"{name}, prompts of {string.Join(", ", lengths)}, step {step}");
            }
        }
    }

    [Fact]
    public void Every_length_that_may_join_keeps_its_bits_whatever_it_is_padded_to()
    {
        using var model = TinyReasoner.Open();
        using var joint = (IPromptSession)model.Open(2, Capacity);
        using var single = model.Open(1, Capacity);
        float[] together = new float[2 * model.VocabularySize], alone = new float[model.VocabularySize];
        for (int length = 1; length < Capacity / 2; length++)
        {
            if (!joint.CanJoin(length)) continue;
            int[] prompt = Tokens(model, length, length);
            single.Clear(0);
            single.Prefill(0, prompt, alone);
            foreach (int padding in (int[])[0, 1, 2, 7, 16])
            {
                if (2 * (length + padding) > Capacity) continue;
                joint.Clear(0);
                joint.Clear(1);
                joint.Prefill(0, [prompt, Tokens(model, length + padding, 3)], together);
                Difference(together.AsSpan(0, alone.Length).ToArray(), alone).ShouldBe(0, $"{length} tokens and {padding} places more");
            }
        }
    }

    [Fact]
    public void What_a_joint_run_cannot_take_is_refused()
    {
        using var model = TinyReasoner.Open();
        using var session = (IPromptSession)model.Open(5, 64);
        float[] logits = new float[5 * model.VocabularySize];
        Should.Throw<ArgumentOutOfRangeException>(() => session.Prefill(0, [[1], [2], [3], [4], new int[52]], logits)); // 260 places
        Should.Throw<InvalidOperationException>(() => session.Prefill(0, [[1], new int[65]], logits)).Message.ShouldContain("0 of 64");
        Should.Throw<ArgumentException>(() => session.Prefill(0, [[1], []], logits)).Message.ShouldContain("at least one token");
        session.Prefill(1, [1], logits.AsSpan(0, model.VocabularySize));
        Should.Throw<InvalidOperationException>(() => session.Prefill(0, [[1], [2]], logits)).Message.ShouldContain("Slot 1");
        session.Cancel();
        Should.Throw<OperationCanceledException>(() => session.Prefill(0, [[1]], logits));
    }

    [Fact]
    public void Chats_served_together_say_what_they_say_alone()
    {
        using var model = TinyReasoner.Open();
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 20).Select(i => new GenerationRequest
            {
                Prompt = TinyReasoner.Encoder.EncodePrompt([Tokenization.ChatMessage.User($"What is {i * 7} + {i * i}?")]),
                MaxNewTokens = 12, Seeds = [(ulong)i], Sampling = new SamplingOptions { Temperature = 1 }, TopLogProbabilities = 3,
            }),
        ];
        var expected = new BatchGenerator(model, slots: 1).Complete(requests);
        foreach (int slots in (int[])[5, 32])
        {
            var actual = new BatchGenerator(model, slots: slots).Complete(requests);
            for (int i = 0; i < requests.Length; i++)
            {
                actual[i][0].Tokens.ShouldBe(expected[i][0].Tokens);
                actual[i][0].LogProbabilities.ShouldBe(expected[i][0].LogProbabilities);
                actual[i][0].Top!.LogProbabilities.ShouldBe(expected[i][0].Top!.LogProbabilities);
            }
        }
    }

    private static double Difference(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs((double)a - b)).Max();

    private static int[] Tokens(OnnxTokenModel model, int count, int from) =>
        [.. Enumerable.Range(from, count).Select(i => 5 + (int)(i * 7919L % (model.VocabularySize - 5)))];
}

using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Teacher.Tests.Onnx;

public sealed class SessionContractTests : SessionContract
{
    public static TheoryData<string> Names => ReferenceCase.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_memory_told_beforehand_is_what_a_session_takes(string name)
    {
        var folder = new ReferenceCase(name).Open();
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        foreach (var (slots, length) in ((int, int)[])[(1, 2), (3, 7), (5, 100)])
        {
            using var session = (DecodeSession)model.Open(slots, length);
            model.MemoryOf(slots, length).ShouldBe(session.Memory, $"{name}, {slots} × {length}");
            folder.MemoryOf(slots, length).ShouldBe(session.Memory, $"{name}, {slots} × {length}, without loading");
            if (folder.Facts.SharesCache)
                folder.Configuration.MemoryOf(slots, length).ShouldBe(session.Memory, $"{name}, {slots} × {length}, by configuration");
        }
    }

    private protected override ITokenModel Load(ReferenceCase reference) => reference.Load();
}
